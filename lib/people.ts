import { Stack, Validations } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { EventSourceMapping, IFunction } from 'aws-cdk-lib/aws-lambda'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import type { ControlConfig } from '../functions/contracts/config.ts'
import { type Deployment, deploymentParameter } from '../functions/contracts/deployment.ts'
import type { CommandQueue } from './command-queue.ts'
import type { EventIntake } from './event-intake.ts'
import type { MinuteSchedule } from './minute-schedule.ts'
import type { Store } from './store.ts'

export interface PeopleProps {
  /** what `kdc --stack` is given */
  readonly name: string
  readonly store: Store
  readonly commands: CommandQueue
  readonly events: EventIntake
  readonly eventBus: EventBus
  readonly stateMachineArn: string
  readonly edgesPath: string
  readonly timers: ControlConfig['timers']
  readonly schedules: readonly MinuteSchedule[]
  /** the function that has all settings */
  readonly settle: IFunction
  readonly mappings: readonly EventSourceMapping[]
  /** how the logical ids of what is looked at begin */
  readonly prefix: string
}

/**
 * By what people and their tools find a deployment, and what they may do: one parameter that names
 * everything, and two policies to attach to whom it may concern.
 * @throws Error where the parameter would be read as an edge
 */
export class People extends Construct {
  readonly parameter: StringParameter
  /** who looks */
  readonly read: ManagedPolicy
  /** who looks, sends commands, and clears up dead letters */
  readonly operate: ManagedPolicy

  constructor(scope: Construct, id: string, props: PeopleProps) {
    super(scope, id)
    const parameterName = deploymentParameter(props.name)
    if (parameterName.startsWith(`${props.edgesPath}/`))
      throw new Error(
        `the parameter ${parameterName} is under ${props.edgesPath}, where every parameter is taken for an edge: give the edges another path`,
      )
    this.parameter = new StringParameter(this, 'Deployment', {
      parameterName,
      description: 'Where kdc finds this deployment',
      stringValue: Stack.of(this).toJsonString(this.deployment(props)),
    })
    this.read = this.policy('Read', `Looks at ${props.name}`, props)
    this.operate = this.policy('Operate', `Looks at ${props.name}, and sends it commands`, props)
    const { commands, events } = props
    this.operate.addStatements(
      allowed(['sqs:SendMessage'], [commands.queue.queueArn]),
      // To the queues of events nobody may send, who could then make one up.
      allowed(
        ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
        [commands, events.lifecycleEvents, events.alarmEvents].map(({ deadLetters }) => deadLetters.queueArn),
      ),
    )
  }

  private policy(id: string, description: string, props: PeopleProps): ManagedPolicy {
    const statements = [...this.readsOfStore(props), ...this.readsOfStack(props)]
    const policy = new ManagedPolicy(this, id, { description, statements })
    this.letSeeEvents(policy, props)
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'what is asked of Auto Scaling takes no resource, composite alarms take all, and a number that is reserved for a function is no secret; it only reads',
    })
    return policy
  }

  private readsOfStore({ store, edgesPath }: PeopleProps): PolicyStatement[] {
    return [
      allowed(['dynamodb:GetItem', 'dynamodb:Query'], [store.table.tableArn]),
      allowed(['ssm:GetParameter'], [this.parameter.parameterArn]),
      allowed(
        ['ssm:GetParametersByPath'],
        [Stack.of(this).formatArn({ service: 'ssm', resource: `parameter${edgesPath}` })],
      ),
    ]
  }

  /**
   * What `kdc doctor` looks at. A policy has room for 6,144 characters, and none for each function by its
   * name.
   */
  private readsOfStack({ settle, mappings }: PeopleProps): PolicyStatement[] {
    return [
      allowed(['cloudformation:ListStackResources'], [Stack.of(this).stackId]),
      allowed(['lambda:GetFunctionConfiguration'], [settle.functionArn]),
      allowed(
        ['lambda:GetEventSourceMapping'],
        mappings.map(({ eventSourceMappingArn }) => eventSourceMappingArn),
      ),
      allowed(
        [
          'lambda:GetFunctionConcurrency',
          'cloudwatch:DescribeAlarms',
          'autoscaling:DescribeAutoScalingGroups',
          'autoscaling:DescribeLifecycleHooks',
        ],
        ['*'],
      ),
    ]
  }

  /** Rules, of which a group or alarm may bring more later, and all queues. */
  private letSeeEvents(policy: ManagedPolicy, { events, commands, schedules }: PeopleProps): void {
    const { lifecycleEvents, alarmEvents } = events
    const queues = [
      ...[commands, lifecycleEvents, alarmEvents].flatMap(({ queue, deadLetters }) => [queue, deadLetters]),
      ...schedules.flatMap(({ failed, delivery }) => [failed, delivery.undelivered]),
    ]
    const seeRules = allowed(
      ['events:DescribeRule'],
      schedules.map(({ delivery }) => delivery.rule.ruleArn),
    )
    const seeQueues = allowed(
      ['sqs:GetQueueAttributes'],
      queues.map(({ queueArn }) => queueArn),
    )
    policy.addStatements(seeRules, seeQueues)
    events.eachRule((_, { rule, undelivered }) => {
      seeRules.addResources(rule.ruleArn)
      seeQueues.addResources(undelivered.queueArn)
    })
  }

  private deployment({ name, store, commands, events, eventBus, ...props }: PeopleProps): Deployment {
    const { failoverWindowSeconds, longestCallSeconds } = props.timers
    const { region, stackName } = Stack.of(this)
    return {
      version: 1,
      stack: name,
      region,
      table: store.table.tableName,
      commandQueueUrl: commands.queue.queueUrl,
      deadLetterQueueUrls: {
        commands: commands.deadLetters.queueUrl,
        lifecycleEvents: events.lifecycleEvents.deadLetters.queueUrl,
        alarmEvents: events.alarmEvents.deadLetters.queueUrl,
      },
      eventQueueUrls: {
        lifecycleEvents: events.lifecycleEvents.queue.queueUrl,
        alarmEvents: events.alarmEvents.queue.queueUrl,
      },
      eventBus: eventBus.eventBusName,
      stateMachineArn: props.stateMachineArn,
      edgesPath: props.edgesPath,
      timers: { failoverWindowSeconds, longestCallSeconds },
      made: { stack: stackName, prefix: props.prefix, settleFunction: props.settle.functionName },
    }
  }
}

function allowed(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources })
}
