import * as z from 'zod'
import { controlConfig } from './config.ts'
import { edgeTlsParameters, parameterName } from './edge-tls.ts'
import { relayTargets } from './rpc.ts'

const place = {
  vpcId: z.string().regex(/^vpc-/),
  subnetIds: z.array(z.string().regex(/^subnet-/)).min(1),
}
/** Where the edges are on private addresses: a network that can reach them. */
const network = z.strictObject({ ...place, securityGroupIds: z.array(z.string().regex(/^sg-/)).min(1) })

const serverName = z.string().min(1).optional()
const port = z.int().min(1).max(65_535)
/**
 * How the VPC link reaches one edge: at its address, or by a load balancer's listener that leads to it alone.
 */
const edgeRoute = z.union([
  z.strictObject({ address: z.ipv4(), port: port.default(8080), serverName }),
  z.strictObject({ listenerArn: z.string().regex(/^arn:[^:]+:elasticloadbalancing:/), port, serverName }),
])

/** The one file with what a stack of this app controls; dispatcher-control.json is an example. */
export const settings = z.strictObject({
  /** where an editor finds the schema that `kdc schema settings` prints; nothing else reads it */
  $schema: z.string().optional(),
  /** also the first part of the state machine's name, which has 80 characters at most */
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,73}$/, 'must be letters, digits and hyphens, a letter first, 74 at most'),
  edgesPath: parameterName,
  rpcSecretParameter: parameterName,
  parameterKeyArn: z.string().startsWith('arn:').optional(),
  edgeAccess: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('direct'), network: network.optional() }),
    z.strictObject({ kind: z.literal('vpc-link'), ...place, edges: z.record(z.string(), edgeRoute) }),
    z.strictObject({ kind: z.literal('relay'), ...place, ...relayTargets.shape }),
  ]),
  /** our side of TLS to the edges with an `https` url; not with a VPC link */
  edgeTls: edgeTlsParameters.optional(),
  removalPolicy: z.enum(['retain', 'destroy']).default('retain'),
  /** the SNS topic that is told of alarms */
  alarmTopicArn: z.string().startsWith('arn:').optional(),
  /** where docs/operations.md is read; alarms lead to its entries */
  runbookUrl: z.url().optional(),
  control: controlConfig,
})
export type Settings = z.output<typeof settings>
