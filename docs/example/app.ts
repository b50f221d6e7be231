/**
 * A CDK app with a fleet of media servers, which has them drained before they go. It builds the construct of
 * the package in (`npm run package`, `npm install <its folder>`), and compiles and runs with the Node and the
 * TypeScript that it has.
 */
import { App, Duration, Stack } from 'aws-cdk-lib'
import { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling'
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { InstanceType, MachineImage, Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2'
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { DispatcherControl, VpcLinkAccess } from 'kamailio-dispatcher-control'

const app = new App()
const stack = new Stack(app, 'Voice')
const vpc = new Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false })

/** The security group of the edges' machines, which have fixed private addresses. */
const kamailioEdges = new SecurityGroup(stack, 'KamailioEdges', { vpc })

const mediaServers = new AutoScalingGroup(stack, 'MediaServers', {
  vpc,
  instanceType: new InstanceType('m8g.large'),
  machineImage: MachineImage.latestAmazonLinux2023(),
  minCapacity: 2,
  maxCapacity: 20,
})

// API Gateway takes no CA of your own and shows no client certificate: for these, RelayAccess and the
// control's `edgeTls`. Each edge by the last part of its parameter's name: /voice/edges/edge-a and
// /voice/edges/edge-b.
const edgeAccess = new VpcLinkAccess(stack, 'EdgeAccess', {
  vpc,
  subnets: { subnets: vpc.privateSubnets },
  edges: { 'edge-a': { address: '10.0.128.5' }, 'edge-b': { address: '10.0.192.5' } },
})
kamailioEdges.addIngressRule(edgeAccess.securityGroup, Port.tcp(8080), 'JSON-RPC from the VPC link')

const control = new DispatcherControl(stack, 'DispatcherControl', {
  edgesPath: '/voice/edges',
  rpcSecretParameter: '/voice/rpc-secret',
  edgeAccess,
  control: {
    groups: [],
    // What the edges' own configuration says: fr_timer + 2 s, and dialog default_timeout.
    timers: { failoverWindowSeconds: 7, longestCallSeconds: 43_200 },
  },
})

// Calls that are left after four hours keep their server, for as long as they last.
control.manage(mediaServers, {
  deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
  drainDeadline: Duration.hours(4),
})
// A group of another team, by its name; after half an hour its instances may go.
control.manage(AutoScalingGroup.fromAutoScalingGroupName(stack, 'Announcements', 'announcements'), {
  deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' },
  drainDeadline: Duration.minutes(30),
  heartbeatTimeout: Duration.minutes(10),
})

control.drainOnAlarm(
  new Alarm(stack, 'ConferenceDiskFull', {
    metric: new Metric({
      namespace: 'CWAgent',
      metricName: 'disk_used_percent',
      dimensionsMap: { host: 'conference' },
    }),
    threshold: 95,
    evaluationPeriods: 3,
  }),
  { target: 'sip:10.0.1.20:5060' },
)

control.grantSendCommands(new Role(stack, 'Operators', { assumedBy: new AccountPrincipal(stack.account) }))

mediaServers.scaleToTrackMetric('CallsPerServer', {
  metric: control.metricActiveCallsPerServer(),
  targetValue: 40,
})

new Alarm(stack, 'CallsEnded', {
  metric: control.metricDrainsPastDeadline(),
  threshold: 1,
  evaluationPeriods: 1,
})
// What this construct has no option for is set on its parts.
control.functions.look.addEnvironment('POWERTOOLS_LOG_LEVEL', 'DEBUG')
