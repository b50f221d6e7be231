import { Annotations, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { type ISubnet, SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import type { Settings } from '../functions/contracts/settings.ts'
import { Alarms } from './alarms.ts'
import { DispatcherControl } from './dispatcher-control.ts'
import { directEdgeAccess, type EdgeAccess } from './edge-access.ts'
import { OperationsDashboard } from './operations-dashboard.ts'
import { RelayAccess } from './relay-access.ts'
import { VpcLinkAccess } from './vpc-link-access.ts'

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
      edgeAccess: this.edgeAccess(settings, functionsPath),
      ...(settings.edgeTls && { edgeTls: settings.edgeTls }),
      removalPolicy: removalPolicyOf(settings),
      ...(functionsPath && { functionsPath }),
    })
    const { alarms } = new Alarms(this, 'Alarms', {
      control: made,
      ...(settings.runbookUrl && { runbookUrl: settings.runbookUrl }),
      ...(settings.alarmTopicArn && { topicArn: settings.alarmTopicArn }),
    })
    new OperationsDashboard(this, 'Operations', { control: made, alarms })
    const { commands, events, store, eventBus, workflow, schedules, people } = made
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
      KdcParameterName: people.parameter.parameterName,
      ReadPolicyArn: people.read.managedPolicyArn,
      OperatePolicyArn: people.operate.managedPolicyArn,
      SettleFailedQueueUrl: schedules.settle.failed.queueUrl,
      SettleNotCalledQueueUrl: schedules.settle.delivery.undelivered.queueUrl,
      ReconcilerFailedQueueUrl: schedules.reconcile.failed.queueUrl,
      ReconcilerNotCalledQueueUrl: schedules.reconcile.delivery.undelivered.queueUrl,
      SweepFailedQueueUrl: schedules.sweep.failed.queueUrl,
      SweepNotCalledQueueUrl: schedules.sweep.delivery.undelivered.queueUrl,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
    events.eachRule((name, { undelivered }) => {
      new CfnOutput(this, `${name}UndeliveredQueueUrl`, { value: undelivered.queueUrl })
    })
  }

  private edgeAccess(settings: Settings, functionsPath: string | undefined): EdgeAccess {
    const chosen = settings.edgeAccess
    switch (chosen.kind) {
      case 'direct': {
        if (chosen.network === undefined) return directEdgeAccess()
        const securityGroups = chosen.network.securityGroupIds.map((groupId) =>
          SecurityGroup.fromSecurityGroupId(this, groupId, groupId, { mutable: false }),
        )
        return directEdgeAccess({ ...this.place(chosen.network), securityGroups })
      }
      case 'vpc-link': {
        const access = new VpcLinkAccess(this, 'EdgeAccess', { ...this.place(chosen), ...chosen })
        new CfnOutput(this, 'EdgeApiUrl', { value: access.api.apiEndpoint })
        return this.letIn(access)
      }
      case 'relay':
        return this.letIn(
          new RelayAccess(this, 'EdgeAccess', {
            ...this.place(chosen),
            ...chosen,
            removalPolicy: removalPolicyOf(settings),
            ...(functionsPath && { functionsPath }),
          }),
        )
      default:
        return chosen satisfies never
    }
  }

  /** Names which security group the edges have to let in. */
  private letIn(access: VpcLinkAccess | RelayAccess): EdgeAccess {
    new CfnOutput(this, 'EdgeAccessSecurityGroupId', { value: access.securityGroup.securityGroupId })
    return access
  }

  private place({ vpcId, subnetIds }: { readonly vpcId: string; readonly subnetIds: readonly string[] }) {
    return {
      // The subnets are named one by one; nothing is asked of the VPC's zones, but CDK wants one.
      vpc: Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: ['any'] }),
      subnets: { subnets: subnetIds.map((id) => this.subnet(id)) },
    }
  }

  private subnet(id: string): ISubnet {
    const subnet = Subnet.fromSubnetId(this, id, id)
    // Nobody asks for its routes.
    Annotations.of(subnet).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId')
    return subnet
  }
}

function removalPolicyOf(settings: Settings): RemovalPolicy {
  return settings.removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN
}
