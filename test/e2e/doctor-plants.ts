import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch'
import { DisableRuleCommand, EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge'
import {
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { parseDeployment } from '../../functions/contracts/deployment.ts'
import type { Hook } from '../../lab/auto-scaling/auto-scaling-types.ts'
import {
  alarmNameOf,
  asteriskGroup,
  edgesPath,
  patientGroup,
  patientHooks,
  serverGroup,
  serverPlans,
} from '../../lab/plan/fleet-plan.ts'
import { provision } from '../../lab/programs/provision.ts'
import { type Edge, type EdgeSpec, startEdge } from '../../lab/sip/edge.ts'
import type { World } from '../../lab/world/world.ts'
import { output } from '../../lab/world/world-aws.ts'
import { dispatcherEntries } from '../../lab/world/world-sip.ts'
import { present } from '../present.ts'

/** What somebody may do to the deployment's functions. */
export function handOnFunctions({ emulator, outputs }: World) {
  const lambda = new LambdaClient(emulator.client)
  const settleFunction = async () => {
    const Name = output(outputs, 'KdcParameterName')
    const { Parameter } = await new SSMClient(emulator.client).send(new GetParameterCommand({ Name }))
    return present(parseDeployment(Parameter?.Value ?? '').made, 'made in the parameter').settleFunction
  }
  return {
    /** Each edge is read now. */
    async settle() {
      const FunctionName = await settleFunction()
      await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ kind: 'minute' }) }))
    },
    async stopSettle() {
      const FunctionName = await settleFunction()
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }))
    },
    async disableConsumer() {
      const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}))
      const { UUID } = present(
        EventSourceMappings.find(({ FunctionArn }) => FunctionArn?.includes('OnAlarmEvents')),
        'consumer of alarm events',
      )
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))
    },
  }
}

/** What somebody may do to its rules and queues. */
export function handOnEvents({ emulator, outputs }: World) {
  const events = new EventBridgeClient(emulator.client)
  const sqs = new SQSClient(emulator.client)
  return {
    /** @param part of the rule's name */
    async disableRule(part: string) {
      const { Rules = [] } = await events.send(new ListRulesCommand({}))
      const { Name } = present(
        Rules.find((rule) => rule.Name?.includes(part)),
        part,
      )
      await events.send(new DisableRuleCommand({ Name }))
    },
    leaveMessage: (queue: string) =>
      sqs.send(new SendMessageCommand({ QueueUrl: output(outputs, queue), MessageBody: '{}' })),
  }
}

/** What somebody may do to alarms. */
export function handOnAlarms({ emulator }: World) {
  const watch = new CloudWatchClient(emulator.client)
  return {
    /** The lab publishes the events of alarms that nobody has made. */
    async makeServerAlarms() {
      for (const { name } of serverPlans)
        await watch.send(
          new PutMetricAlarmCommand({
            ...{ AlarmName: alarmNameOf(name), Namespace: 'AWS/EC2', MetricName: 'StatusCheckFailed' },
            ...{ Statistic: 'Maximum', Period: 60, EvaluationPeriods: 1, Threshold: 1 },
            ...{ ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'notBreaching' },
          }),
        )
    },
    deleteServerAlarm: () => watch.send(new DeleteAlarmsCommand({ AlarmNames: [alarmNameOf('ms-9')] })),
    /** @param part of the name of an alarm of the stack */
    async raiseAndMute(part: string) {
      const { MetricAlarms = [] } = await watch.send(new DescribeAlarmsCommand({}))
      const found = MetricAlarms.find((alarm) => alarm.AlarmName?.includes(part))
      const { AlarmName = '' } = present(found, part)
      await watch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'planted' }))
      await watch.send(new DisableAlarmActionsCommand({ AlarmNames: [AlarmName] }))
    },
  }
}

/** What somebody may do to edges and their parameters. */
export function handOnEdges({ emulator, edges, machines, runDir, secrets }: World) {
  const ssm = new SSMClient(emulator.client)
  const entries = dispatcherEntries(machines.all())
  const putParameter = (edge: string, Value: string) =>
    ssm.send(
      new PutParameterCommand({ Name: `${edgesPath}/${edge}`, Value, Type: 'String', Overwrite: true }),
    )
  return {
    putParameter,
    /** An edge of somebody who has not followed our steps, known to the control plane. */
    async addEdge(spec: Pick<EdgeSpec, 'name' | 'address'> & Partial<EdgeSpec>): Promise<Edge> {
      const { kamailio } = await provision({ kamailio: ['6.1'], log: () => undefined })
      const edge = await startEdge({
        ...{ kamailio: present(kamailio.get('6.1'), 'Kamailio 6.1'), runDir, secret: secrets.rpc },
        ...{ destinations: entries, nextSecret: secrets.nextRpc },
        ...spec,
      })
      await putParameter(edge.name, JSON.stringify({ url: edge.rpcUrl }))
      return edge
    },
    /** A name that nobody resolves, and an entry that is no destination. */
    async listOddEntries() {
      const edge = present(edges[0], 'edge')
      edge.writeList([
        ...entries,
        { set: 1, uri: 'sip:sbc.example:5060', flags: 16 },
        { set: 1, uri: 'sip:127.0.2.99:0' },
      ])
      await edge.call('dispatcher.reload', [])
    },
    loseEdge: () => present(edges[1], 'edge').kill(),
  }
}

const hook = (name: string, transition: Hook['transition'], more: Partial<Hook>): Hook => ({
  ...{ name, transition, heartbeatTimeoutSeconds: 60, defaultResult: 'CONTINUE' },
  ...more,
})

/** Somebody has made the groups anew. */
export function breakGroups({ autoScaling }: Pick<World, 'autoScaling'>): void {
  autoScaling.createGroup({
    ...{ name: serverGroup, terminateHookAbandon: 'terminate', suspended: ['Terminate'] },
    hooks: [
      hook('drain-calls', 'launching', { defaultResult: 'ABANDON' }),
      hook('theirs', 'terminating', {}),
    ],
  })
  autoScaling.createGroup({ name: patientGroup, hooks: patientHooks, terminateHookAbandon: 'retain' })
  autoScaling.createGroup({
    ...{ name: asteriskGroup, terminateHookAbandon: 'retain' },
    hooks: [
      hook('drain-calls', 'terminating', { defaultResult: 'ABANDON' }),
      hook('admit-calls', 'launching', {}),
    ],
  })
}
