import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  HttpApi,
  HttpMethod,
  type HttpRouteIntegration,
  HttpStage,
  LogGroupLogDestination,
  MappingValue,
  ParameterMapping,
  VpcLink,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import {
  HttpNlbIntegration,
  type HttpPrivateIntegrationOptions,
  HttpServiceDiscoveryIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { type IVpc, Peer, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import { NetworkListener } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { HttpNamespace } from 'aws-cdk-lib/aws-servicediscovery'
import { Construct } from 'constructs'
import { edgeAccessEnvironment } from '../functions/contracts/names.ts'
import { isPrivateAddress } from '../functions/control/private-address.ts'
import type { EdgeAccess } from './edge-access.ts'
import type { Permission } from './permission.ts'

/** An edge on an address of its own, which the construct registers with Cloud Map. */
export interface EdgeAddress {
  /** private IPv4 address */
  readonly address: string
  /** @default 8080 */
  readonly port?: number
  /**
   * The name in the edge's certificate, where its JSON-RPC speaks TLS. The certificate is of a public CA.
   * @default - plain HTTP
   */
  readonly serverName?: string
}

/** An edge behind a listener that is there already, of an NLB or ALB, and that leads to this edge alone. */
export interface EdgeListener {
  readonly listenerArn: string
  /** the listener's */
  readonly port: number
  /**
   * The name in the listener's certificate, where it speaks TLS.
   * @default - plain HTTP
   */
  readonly serverName?: string
}

export interface VpcLinkAccessProps {
  readonly vpc: IVpc
  /**
   * Subnets from which the edges, or their listeners, are reached. They can't be changed later without a new
   * link.
   */
  readonly subnets: SubnetSelection
  /** Each edge by its id, the last path element of its SSM parameter. 50 at most. */
  readonly edges: Readonly<Record<string, EdgeAddress | EdgeListener>>
}

const defaultPort = 8080

/**
 * A second, over all edges, before API Gateway answers 429: half of what an account has for all its APIs of a
 * region.
 */
const mostRequests = 5000

/** A role's inline policy has room for 10,240 characters, an ARN of one route has about 90. */
const mostEdges = 50

/**
 * An HTTP API whose every route asks for IAM authorization and leads through a VPC link to one edge. There is
 * no default route, and no load balancer unless an edge brings its own: behind one for several edges it would
 * be chance which answers.
 *
 * `edgeTls` has no place in it: it is API Gateway that speaks TLS to the edge. With `serverName` it checks
 * the name and asks for a certificate of a public CA. An HTTP API takes no private CA, and shows no client
 * certificate to what it calls.
 * @throws Error at synth for no edge, more than 50, an id that is no path element, two edges in one place, or
 * plain HTTP to a public address
 */
export class VpcLinkAccess extends Construct implements EdgeAccess {
  readonly functionProps = {}
  readonly functions = {}
  readonly refusesEdgeTls =
    'edgeTls has no effect behind a VPC link, where API Gateway speaks TLS to the edge: it takes no private CA and shows no client certificate. Give each edge a certificate of a public CA and its serverName, or reach the edges with RelayAccess or directEdgeAccess'
  readonly environment: Readonly<Record<string, string>>
  readonly permissions: readonly Permission[]
  /** The link's own: let it in on each edge's RPC port. */
  readonly securityGroup: SecurityGroup
  readonly api: HttpApi
  private made: HttpNamespace | undefined

  constructor(scope: Construct, id: string, props: VpcLinkAccessProps) {
    super(scope, id)
    const edges = Object.entries(props.edges)
    checkEdges(edges.map(([edge]) => edge))
    for (const problem of placeProblems(edges)) throw new Error(problem)
    const { vpc, subnets } = props

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'From the VPC link of API Gateway to the JSON-RPC of the Kamailio edges',
      allowAllOutbound: false,
    })
    const vpcLink = new VpcLink(this, 'Link', { vpc, subnets, securityGroups: [this.securityGroup] })
    this.api = new HttpApi(this, 'Api', {
      description: 'JSON-RPC of the Kamailio edges, for dispatcher control',
      createDefaultStage: false,
      defaultAuthorizer: new HttpIamAuthorizer(),
    })
    this.addStage()

    for (const [edge, where] of edges)
      this.api.addRoutes({
        path: routePath(edge),
        methods: [HttpMethod.POST],
        integration: this.integration(edge, where, {
          vpcLink,
          method: HttpMethod.POST,
          parameterMapping: new ParameterMapping().overwritePath(MappingValue.custom('/rpc')),
          ...(where.serverName !== undefined && { secureServerName: where.serverName }),
        }),
      })
    this.environment = {
      [edgeAccessEnvironment.api]: this.api.apiEndpoint,
      [edgeAccessEnvironment.routes]: edges.map(([edge]) => edge).join(','),
    }
    this.permissions = [
      {
        actions: ['execute-api:Invoke'],
        resources: edges.map(([edge]) => this.api.arnForExecuteApi('POST', routePath(edge), '$default')),
      },
    ]
  }
  /**
   * Only the API knows the addresses: a namespace for DNS would cost a hosted zone for names that nobody asks
   * for.
   */
  private get namespace(): HttpNamespace {
    this.made ??= new HttpNamespace(this, 'Namespace', { name: `${Stack.of(this).stackName}-edges` })
    return this.made
  }

  private integration(
    edge: string,
    where: EdgeAddress | EdgeListener,
    options: HttpPrivateIntegrationOptions,
  ): HttpRouteIntegration {
    const name = `Edge-${edge}`
    if ('listenerArn' in where) {
      // Nobody knows the listener's addresses before it is asked.
      this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(where.port), `the listener of ${edge}`)
      // An integration with an ALB's listener is the same template.
      const listener = NetworkListener.fromNetworkListenerArn(this, `${name}-listener`, where.listenerArn)
      return new HttpNlbIntegration(name, listener, options)
    }
    const { address, port = defaultPort } = where
    this.securityGroup.addEgressRule(Peer.ipv4(`${address}/32`), Port.tcp(port), `edge ${edge}`)
    const service = this.namespace.createService(name, { name: edge })
    service.registerIpInstance('Address', { ipv4: address, port })
    return new HttpServiceDiscoveryIntegration(name, service, options)
  }

  private addStage(): void {
    const logs = new LogGroup(this, 'AccessLogs', {
      // Only this prefix keeps the account's policy for delivered logs below its size limit.
      logGroupName: `/aws/vendedlogs/apis/${Stack.of(this).stackName}-edges`,
      retention: RetentionDays.ONE_MONTH,
      // A group that stays behind under a fixed name would stop the next deployment.
      removalPolicy: RemovalPolicy.DESTROY,
    })
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: mostRequests, burstLimit: mostRequests },
      accessLogSettings: {
        destination: new LogGroupLogDestination(logs),
        format: AccessLogFormat.custom(JSON.stringify(accessLog)),
      },
    })
  }
}

/** What is logged of each request; no header, and so no secret, is among it. */
const accessLog = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  route: '$context.routeKey',
  status: '$context.status',
  caller: '$context.identity.userArn',
  latencyMs: '$context.responseLatency',
  edgeStatus: '$context.integration.status',
  edgeLatencyMs: '$context.integration.latency',
  error: '$context.error.message',
  edgeError: '$context.integrationErrorMessage',
}

function routePath(edge: string): string {
  return `/edges/${edge}/rpc`
}

/**
 * Two ids that lead to one Kamailio would count its calls twice and another's never; an ALB's or NLB's
 * listener is one edge too.
 */
function placeProblems(edges: readonly [string, EdgeAddress | EdgeListener][]): string[] {
  const taken = new Map<string, string>()
  return edges.flatMap(([edge, where]) => {
    const place = 'listenerArn' in where ? where.listenerArn : `${where.address}:${where.port ?? defaultPort}`
    const other = taken.get(place)
    taken.set(place, edge)
    if (other !== undefined)
      return [`edge ${edge}: ${place} is edge ${other} already; each edge needs its own`]
    const known = 'listenerArn' in where || Token.isUnresolved(where.address)
    return known || where.serverName !== undefined || isPrivateAddress(where.address)
      ? []
      : [
          `edge ${edge}: ${where.address} is public, where the secret must not go in clear; give it a serverName`,
        ]
  })
}

function checkEdges(ids: readonly string[]): void {
  if (ids.length === 0) throw new Error('edge access by a VPC link needs at least one edge')
  if (ids.length > mostEdges)
    throw new Error(
      `${ids.length} edges: a VPC link's routes are for ${mostEdges} at most, since each is named in the settle function's role; use the relay`,
    )
  const wrong = ids.filter((edge) => !/^[A-Za-z0-9_.-]+$/.test(edge))
  if (wrong.length > 0)
    throw new Error(
      `edge ${wrong.join(', ')}: an id is letters, digits, hyphens, dots and underscores, like the last part of its parameter's name`,
    )
}
