import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { type IVpc, Peer, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { edgeAccessEnvironment } from '../functions/contracts/names.ts'
import { relayTargets } from '../functions/contracts/rpc.ts'
import { ControlFunction } from './control-function.ts'
import { serviceName } from './control-metrics.ts'
import { directEdgeAccess, type EdgeAccess } from './edge-access.ts'
import { functionsPath } from './functions-path.ts'
import type { Permission } from './permission.ts'

export interface RelayAccessProps {
  readonly vpc: IVpc
  /**
   * Subnets from which the edges are reached. The relay calls no AWS API: they need neither NAT nor
   * endpoints.
   */
  readonly subnets: SubnetSelection
  /** IPv4 networks within which edges may be, e.g. `10.0.0.0/16`. The relay reaches nothing else. */
  readonly networks: readonly string[]
  /**
   * Of the edges' JSON-RPC.
   * @default 8080
   */
  readonly port?: number
  /** @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy
  /**
   * The folder with the bundled functions.
   * @default - dist/functions, as `npm run build` writes it
   */
  readonly functionsPath?: string
}

/**
 * A function inside the edges' network that sends them what the settle function asks it to. For edges that
 * scale themselves: one that comes needs a parameter only, no deployment. It reaches IPv4 addresses and
 * resolves no names; an `https` url needs a certificate for the address itself. The CA and the client
 * certificate of `edgeTls` come with each invocation.
 */
export class RelayAccess extends Construct implements EdgeAccess {
  readonly functionProps = {}
  readonly environment: Readonly<Record<string, string>>
  readonly permissions: readonly Permission[]
  readonly functions: Readonly<Record<string, IFunction>>
  /** The relay's own: let it in on each edge's RPC port. */
  readonly securityGroup: SecurityGroup

  constructor(scope: Construct, id: string, props: RelayAccessProps) {
    super(scope, id)
    const { vpc, subnets } = props
    const targets = relayTargets.parse({
      networks: props.networks,
      ...(props.port !== undefined && { port: props.port }),
    })
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'From the relay to the JSON-RPC of the Kamailio edges',
      allowAllOutbound: false,
    })
    for (const network of targets.networks)
      this.securityGroup.addEgressRule(Peer.ipv4(network), Port.tcp(targets.port), 'edges')
    const relay = new ControlFunction(this, 'Relay', {
      handler: 'edge-relay',
      functionsPath: props.functionsPath ?? functionsPath,
      // The longest RPC timeout that may be configured, and a cold start.
      timeout: Duration.seconds(15),
      service: serviceName(this),
      environment: { [edgeAccessEnvironment.relayTargets]: JSON.stringify(targets) },
      edgeAccess: directEdgeAccess({ vpc, subnets, securityGroups: [this.securityGroup] }),
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    })
    this.functions = { 'edge-relay': relay.function }
    this.environment = { [edgeAccessEnvironment.relay]: relay.function.functionArn }
    this.permissions = [{ actions: ['lambda:InvokeFunction'], resources: [relay.function.functionArn] }]
  }
}
