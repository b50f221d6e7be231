import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import type { FunctionOptions, IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Permission } from './permission.ts'

/** How the settle function reaches the edges' JSON-RPC. The construct knows nothing else about it. */
export interface EdgeAccess {
  /** what the settle function is created with */
  readonly functionProps: Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>
  /** what it is told */
  readonly environment: Readonly<Record<string, string>>
  /** what its role may do for it */
  readonly permissions: readonly Permission[]
  /** functions of its own by their names, which are watched like the others */
  readonly functions: Readonly<Record<string, IFunction>>
  /**
   * Why `edgeTls` has no effect on this way, and what to do instead. The construct refuses it with these
   * words.
   * @default - the function's own CA and client certificate go to the edge
   */
  readonly refusesEdgeTls?: string
}

export interface EdgeNetwork {
  readonly vpc: IVpc
  /** Subnets with a way to the edges and, by NAT or interface endpoints, to the AWS APIs. */
  readonly subnets: SubnetSelection
  /** Groups that the edges let in on their RPC port. */
  readonly securityGroups: ISecurityGroup[]
}

/**
 * The settle function calls each edge's own address.
 * @param network where the edges are on private addresses; without it the function is in no VPC.
 */
export function directEdgeAccess(network?: EdgeNetwork): EdgeAccess {
  if (network === undefined) return { functionProps: {}, environment: {}, permissions: [], functions: {} }
  return {
    functionProps: {
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      securityGroups: network.securityGroups,
    },
    environment: {},
    permissions: [
      {
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
        wildcardReason:
          'Lambda makes the network interfaces of a function in a VPC with its role, before they have a name; the code is denied it',
        onlyForLambda: true,
      },
    ],
    functions: {},
  }
}
