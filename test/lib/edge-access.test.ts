import { Validations } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { edgeAccessEnvironment } from '../../functions/contracts/names.ts'
import type { Settings } from '../../functions/contracts/settings.ts'
import { some } from '../present.ts'
import { exampleSettings, exampleStack, exampleTemplate, readable } from './synthesized.ts'

const place = { vpcId: 'vpc-1', subnetIds: ['subnet-1', 'subnet-2'] }
const listenerArn =
  'arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/net/edges/50dc6c495c0c9188/f2f7dc8efc522ab2'
const vpcLink: Settings['edgeAccess'] = {
  kind: 'vpc-link',
  ...place,
  edges: {
    'edge-a': { address: '10.0.0.5', port: 8080 },
    'edge-b': { address: '10.0.1.5', port: 8443, serverName: 'edge-b.example.com' },
    'edge-c': { listenerArn, port: 9000 },
  },
}
const networks = ['10.0.0.0/16', '10.9.0.0/24']
const relay: Settings['edgeAccess'] = {
  kind: 'relay',
  ...place,
  networks,
  port: 8080,
}
const withAccess = (edgeAccess: Settings['edgeAccess']): Settings => ({ ...exampleSettings, edgeAccess })
/** Each resource's properties, of one type. */
function all(template: ReturnType<typeof exampleTemplate>, type: string): Record<string, unknown>[] {
  const found = z.record(z.string(), z.object({ Properties: z.record(z.string(), z.unknown()) }))
  return Object.values(found.parse(template.findResources(type))).map(({ Properties }) => Properties)
}

/** The statements with this action, of all roles. */
function allowing(template: ReturnType<typeof exampleTemplate>, action: string) {
  const policy = z.object({
    PolicyDocument: z.object({
      Statement: z.array(z.object({ Action: z.unknown(), Resource: z.unknown() })),
    }),
  })
  return all(template, 'AWS::IAM::Policy')
    .flatMap((properties) => policy.parse(properties).PolicyDocument.Statement)
    .filter((statement) => statement.Action === action)
}

/** The roles that may do this, on a resource whose text has `on` in it. */
function allowedTo(template: ReturnType<typeof exampleTemplate>, action: string, on = ''): string[] {
  const policy = z.object({
    Roles: z.tuple([z.unknown()]),
    PolicyDocument: z.object({ Statement: statements }),
  })
  return all(template, 'AWS::IAM::Policy')
    .map((properties) => policy.parse(properties))
    .filter(({ PolicyDocument }) =>
      PolicyDocument.Statement.some(
        (each) =>
          each.Effect === 'Allow' &&
          each.Action.includes(action) &&
          JSON.stringify(each.Resource).includes(on),
      ),
    )
    .map(({ Roles }) => readable(Roles[0]))
}

const statements = z.array(
  z.object({
    Effect: z.enum(['Allow', 'Deny']),
    Action: z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat()),
    Resource: z.unknown(),
    Condition: z.unknown().optional(),
  }),
)

/** The statements of the role whose policy has a name that begins so. */
function statementsOf(template: ReturnType<typeof exampleTemplate>, name: string) {
  const policy = z.object({ PolicyName: z.string(), PolicyDocument: z.object({ Statement: statements }) })
  return all(template, 'AWS::IAM::Policy')
    .map((properties) => policy.parse(properties))
    .filter(({ PolicyName }) => PolicyName.startsWith(name))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

describe('by VPC link', () => {
  const template = exampleTemplate(withAccess(vpcLink))

  test('each edge has one route, signed, and there is no other: no default route, no other method, no CORS', () => {
    const routes = all(template, 'AWS::ApiGatewayV2::Route')
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([
      'POST /edges/edge-a/rpc',
      'POST /edges/edge-b/rpc',
      'POST /edges/edge-c/rpc',
    ])
    expect(new Set(routes.map(({ AuthorizationType }) => AuthorizationType))).toEqual(new Set(['AWS_IAM']))
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      ProtocolType: 'HTTP',
      CorsConfiguration: Match.absent(),
      Target: Match.absent(),
    })
  })

  test('each route leads through the one link to its edge alone, at /rpc, by TLS where it has a name', () => {
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0)
    template.resourceCountIs('AWS::ApiGatewayV2::VpcLink', 1)
    template.resourceCountIs('AWS::ServiceDiscovery::HttpNamespace', 1)
    const integrations = all(template, 'AWS::ApiGatewayV2::Integration')
    for (const integration of some(integrations))
      expect(integration).toMatchObject({
        IntegrationType: 'HTTP_PROXY',
        IntegrationMethod: 'POST',
        ConnectionType: 'VPC_LINK',
        RequestParameters: { 'overwrite:path': '/rpc' },
      })
    const uris = integrations.map(({ IntegrationUri }) => readable(IntegrationUri))
    expect(new Set(uris).size).toBe(3)
    expect(uris).toContain(listenerArn)
    expect(integrations.map(({ TlsConfig }) => TlsConfig).filter(Boolean)).toEqual([
      { ServerNameToVerify: 'edge-b.example.com' },
    ])
    const places = all(template, 'AWS::ServiceDiscovery::Instance').map(
      ({ InstanceAttributes }) => InstanceAttributes,
    )
    expect(places).toEqual([
      { AWS_INSTANCE_IPV4: '10.0.0.5', AWS_INSTANCE_PORT: '8080' },
      { AWS_INSTANCE_IPV4: '10.0.1.5', AWS_INSTANCE_PORT: '8443' },
    ])
  })

  test('the link has a security group of its own, which lets out to the edges only and in from nowhere', () => {
    const [{ SecurityGroupEgress, SecurityGroupIngress } = {}] = all(template, 'AWS::EC2::SecurityGroup')
    const out = z.array(z.object({ CidrIp: z.string(), FromPort: z.number(), ToPort: z.number() }))
    expect(out.parse(SecurityGroupEgress)).toEqual([
      { CidrIp: '10.0.0.5/32', FromPort: 8080, ToPort: 8080 },
      { CidrIp: '10.0.1.5/32', FromPort: 8443, ToPort: 8443 },
      { CidrIp: '0.0.0.0/0', FromPort: 9000, ToPort: 9000 },
    ])
    expect(SecurityGroupIngress).toBeUndefined()
    template.hasResourceProperties('AWS::ApiGatewayV2::VpcLink', {
      SubnetIds: place.subnetIds,
      SecurityGroupIds: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^EdgeAccessSecurityGroup'), 'GroupId'] }],
    })
  })

  test('the stage throttles and writes an access log without any header', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 5000, ThrottlingBurstLimit: 5000 },
      AccessLogSettings: { Format: Match.not(Match.stringLikeRegexp('header|X-RPC-Key|authorizer')) },
    })
  })

  test('only the settle function may invoke it, and of it the routes of the edges alone', () => {
    const invoke = allowing(template, 'execute-api:Invoke')
    expect(invoke).toHaveLength(1)
    expect(allowedTo(template, 'execute-api:Invoke')).toEqual(['<ControlSettleRole>'])
    for (const { Resource } of some(invoke))
      expect(z.array(z.unknown()).parse(Resource).map(readable)).toEqual(
        ['edge-a', 'edge-b', 'edge-c'].map(
          (edge) =>
            `arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<EdgeAccessApi>/$default/POST/edges/${edge}/rpc`,
        ),
      )
    const told = all(template, 'AWS::Lambda::Function').filter((each) =>
      JSON.stringify(each).includes(edgeAccessEnvironment.api),
    )
    expect(told).toHaveLength(1)
    for (const { Environment } of some(told))
      expect(Environment).toMatchObject({
        Variables: { [edgeAccessEnvironment.routes]: 'edge-a,edge-b,edge-c' },
      })
    expect(told.map(({ VpcConfig }) => VpcConfig).filter(Boolean)).toEqual([])
  })

  test.each([
    ['no edge', {}, 'at least one edge'],
    ['an id with a slash', { 'a/b': { address: '10.0.0.5', port: 8080 } }, 'edge a/b: an id is'],
    [
      'an address that is another edge already',
      { a: { address: '10.0.0.5', port: 8080 }, b: { address: '10.0.0.5', port: 8080 } },
      'is edge a already',
    ],
    ['plain HTTP to a public address', { a: { address: '203.0.113.9', port: 8080 } }, 'is public'],
    [
      'more edges than a role can name',
      Object.fromEntries(
        Array.from({ length: 51 }, (_, n) => [`e${n}`, { address: `10.0.0.${n}`, port: 1 }]),
      ),
      'use the relay',
    ],
  ])('%s is refused at synth', (_what, edges, said) => {
    expect(() => exampleStack(withAccess({ ...vpcLink, edges }))).toThrow(said)
  })
})

describe('by relay', () => {
  const template = exampleTemplate(withAccess(relay))

  test('the relay alone is in the network, and is told and let out to the configured networks and port alone', () => {
    const inside = all(template, 'AWS::Lambda::Function').filter(({ VpcConfig }) => VpcConfig)
    const targets = { [edgeAccessEnvironment.relayTargets]: JSON.stringify({ networks, port: 8080 }) }
    expect(inside.map(({ Environment }) => Environment)).toEqual([
      { Variables: expect.objectContaining(targets) },
    ])
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [
        Match.objectLike({ CidrIp: '10.0.0.0/16', FromPort: 8080, ToPort: 8080 }),
        Match.objectLike({ CidrIp: '10.9.0.0/24', FromPort: 8080, ToPort: 8080 }),
      ],
      SecurityGroupIngress: Match.absent(),
    })
  })

  test('what Lambda may do for the network of a function, its code may not', () => {
    const network = (statement: z.output<typeof statements>[number]) =>
      statement.Action.filter((action) => action.startsWith('ec2:')).toSorted()
    const own = statementsOf(template, 'EdgeAccessRelay')
    const those = (effect: string) => own.filter((each) => each.Effect === effect && network(each).length > 0)
    const [allowed, denied] = [those('Allow'), those('Deny')]
    expect(allowed.map(network)).toEqual([expect.arrayContaining(['ec2:CreateNetworkInterface'])])
    expect(denied.map(network)).toEqual(allowed.map(network))
    expect(denied.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual([
      { Resource: '*', Condition: { ArnLike: { 'lambda:SourceFunctionArn': expect.anything() } } },
    ])
    const { ArnLike } = z.object({ ArnLike: z.record(z.string(), z.unknown()) }).parse(denied[0]?.Condition)
    expect(readable(ArnLike['lambda:SourceFunctionArn'])).toBe(
      'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:*',
    )
  })

  test('the relay may call no AWS API of its own, and only the settle function may invoke it', () => {
    const actions = statementsOf(template, 'EdgeAccessRelay')
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Action }) => Action)
    expect(
      actions.filter((action) => !/^(logs:|ec2:.*(NetworkInterface|Subnets|PrivateIp))/.test(action)),
    ).toEqual([])
    expect(actions).not.toEqual([])
    // The state machine invokes its steps, and these the settle function.
    expect(allowedTo(template, 'lambda:InvokeFunction', 'EdgeAccessRelay')).toEqual(['<ControlSettleRole>'])
    const [own, ...others] = allowing(template, 'lambda:InvokeFunction').filter(({ Resource }) =>
      JSON.stringify(Resource).includes('EdgeAccessRelay'),
    )
    expect(others).toEqual([])
    expect(readable(own?.Resource)).toBe('<EdgeAccessRelayFunction.Arn>')
  })
})

describe('our side of TLS', () => {
  const edgeTls = { caParameter: '/tls/ca', certificateParameter: '/tls/client', keyParameter: '/tls/key' }
  const direct: Settings['edgeAccess'] = { kind: 'direct' }

  test.each([
    ['directly', direct],
    ['by the relay', relay],
  ])('%s the settle function is told where it is, and no other, also not the relay', (_way, edgeAccess) => {
    const functions = all(exampleTemplate({ ...withAccess(edgeAccess), edgeTls }), 'AWS::Lambda::Function')
    const told = functions.map(({ Environment }) =>
      JSON.stringify(Environment).includes(edgeAccessEnvironment.tls),
    )
    expect(told.filter(Boolean)).toHaveLength(1)
    expect(functions.map(({ Environment }) => Environment)).toContainEqual({
      Variables: expect.objectContaining({ [edgeAccessEnvironment.tls]: JSON.stringify(edgeTls) }),
    })
  })

  test('behind a VPC link it is refused at synth, with what to do instead', () => {
    expect(() => exampleStack({ ...withAccess(vpcLink), edgeTls })).toThrow(
      /edgeTls has no effect behind a VPC link, .*certificate of a public CA and its serverName, or .*RelayAccess/,
    )
  })

  test.each([
    [
      'a certificate without its key',
      { caParameter: '/a', certificateParameter: '/b' },
      'together, or neither',
    ],
    ['a key without its certificate', { caParameter: '/a', keyParameter: '/b' }, 'together, or neither'],
    ['a name that is none', { caParameter: 'a/' }, 'caParameter'],
  ])('%s is refused at synth', (_what, wrong, said) => {
    expect(() => exampleStack({ ...withAccess(direct), edgeTls: wrong })).toThrow(said)
  })
})

test.each([
  ['the VPC link', vpcLink],
  ['the relay', relay],
])('cdk-nag has nothing to say of %s but what is acknowledged with its reason', (_name, edgeAccess) => {
  const { app } = exampleStack(withAccess(edgeAccess))
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  app.synth()
})
