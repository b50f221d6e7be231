import { App, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Subnet, Vpc } from 'aws-cdk-lib/aws-ec2'
import { expect, test } from 'vitest'
import { edgeAccessEnvironment } from '../../functions/contracts/names.ts'
import { RelayAccess } from '../../lib/relay-access.ts'
import { VpcLinkAccess } from '../../lib/vpc-link-access.ts'
import { world } from './managed-world.ts'
import { assemblyFolder, functionsPath } from './synthesized.ts'

function network() {
  const stack = new Stack(new App({ outdir: assemblyFolder() }), 'Edges')
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['any'] })
  const subnets = { subnets: [Subnet.fromSubnetAttributes(stack, 'Subnet', { subnetId: 'subnet-1' })] }
  return { stack, vpc, subnets }
}

test('a construct that is not told otherwise keeps its table and logs when it is taken out', () => {
  const template = Template.fromStack(world().stack)
  template.hasResource('AWS::DynamoDB::Table', {
    DeletionPolicy: 'Retain',
    Properties: { DeletionProtectionEnabled: true },
  })
  // One with a name of its own would be in the next deployment's way.
  const logs = Object.values(template.findResources('AWS::Logs::LogGroup')).filter(
    ({ Properties }) => Properties.LogGroupName === undefined,
  )
  expect(logs.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(logs.map(() => 'Retain'))
})

test('an edge behind the VPC link is reached on port 8080, at the rate that is documented', () => {
  const { stack, vpc, subnets } = network()
  new VpcLinkAccess(stack, 'Access', { vpc, subnets, edges: { a: { address: '10.0.0.5' } } })
  const template = Template.fromStack(stack)
  template.hasResourceProperties('AWS::ServiceDiscovery::Instance', {
    InstanceAttributes: { AWS_INSTANCE_IPV4: '10.0.0.5', AWS_INSTANCE_PORT: '8080' },
  })
  template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
    DefaultRouteSettings: { ThrottlingRateLimit: 5000 },
  })
})

test('the relay reaches edges on port 8080, and its log is kept', () => {
  const { stack, vpc, subnets } = network()
  new RelayAccess(stack, 'Access', { vpc, subnets, networks: ['10.0.0.0/16'], functionsPath })
  const template = Template.fromStack(stack)
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: { [edgeAccessEnvironment.relayTargets]: Match.stringLikeRegexp('"port":8080') },
    },
  })
  template.hasResource('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain' })
})
