import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import { Alarms } from './alarms.ts'
import { DispatcherControl } from './dispatcher-control.ts'
import { directEdgeAccess, type EdgeAccess } from './edge-access.ts'
import { OperationsDashboard } from './operations-dashboard.ts'
import type { Settings } from './settings.ts'

/** One {@link DispatcherControl} as a settings file describes it, with what its users need as outputs. */
export class DispatcherControlStack extends Stack {
  constructor(scope: Construct, settings: Settings, functionsPath?: string) {
    super(scope, settings.stackName, {
      description: "Drains media servers in Kamailio's dispatcher without cutting a call",
    })
    const made = new DispatcherControl(this, 'Control', {
      control: settings.control,
      edgesPath: settings.edgesPath,
      rpcSecretParameter: settings.rpcSecretParameter,
      ...(settings.parameterKeyArn && { parameterKeyArn: settings.parameterKeyArn }),
      edgeAccess: this.edgeAccess(settings.edgeAccess),
      removalPolicy: settings.removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      ...(functionsPath && { functionsPath }),
    })
    const { alarms } = new Alarms(this, 'Alarms', {
      control: made,
      ...(settings.runbookUrl && { runbookUrl: settings.runbookUrl }),
      ...(settings.alarmTopicArn && { topicArn: settings.alarmTopicArn }),
    })
    new OperationsDashboard(this, 'Operations', { control: made, alarms })
    const { commands, events, store, eventBus, workflow } = made
    const outputs = {
      CommandQueueUrl: commands.queue.queueUrl,
      CommandDeadLetterQueueUrl: commands.deadLetters.queueUrl,
      LifecycleEventQueueUrl: events.lifecycleEvents.queue.queueUrl,
      LifecycleEventDeadLetterQueueUrl: events.lifecycleEvents.deadLetters.queueUrl,
      AlarmEventQueueUrl: events.alarmEvents.queue.queueUrl,
      AlarmEventDeadLetterQueueUrl: events.alarmEvents.deadLetters.queueUrl,
      TableName: store.table.tableName,
      EventBusName: eventBus.eventBusName,
      StateMachineArn: workflow.stateMachine.stateMachineArn,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
  }

  private edgeAccess({ network }: Settings['edgeAccess']): EdgeAccess {
    if (network === undefined) return directEdgeAccess()
    return directEdgeAccess({
      // The subnets are named one by one; nothing is asked of the VPC's zones, but CDK wants one.
      vpc: Vpc.fromVpcAttributes(this, 'Vpc', { vpcId: network.vpcId, availabilityZones: ['any'] }),
      subnets: {
        subnets: network.subnetIds.map((subnetId) =>
          Subnet.fromSubnetAttributes(this, subnetId, { subnetId }),
        ),
      },
      securityGroups: network.securityGroupIds.map((groupId) =>
        SecurityGroup.fromSecurityGroupId(this, groupId, groupId, { mutable: false }),
      ),
    })
  }
}
