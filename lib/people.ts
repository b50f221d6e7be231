import { Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import type { ControlConfig } from '../functions/contracts/config.ts'
import { type Deployment, deploymentParameter } from '../functions/contracts/deployment.ts'
import type { CommandQueue } from './command-queue.ts'
import type { EventIntake } from './event-intake.ts'
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
    const reads = () => [
      new PolicyStatement({
        actions: ['dynamodb:GetItem', 'dynamodb:Query'],
        resources: [props.store.table.tableArn],
      }),
      new PolicyStatement({ actions: ['ssm:GetParameter'], resources: [this.parameter.parameterArn] }),
    ]
    this.read = new ManagedPolicy(this, 'Read', {
      description: `Looks at ${props.name}`,
      statements: reads(),
    })
    this.operate = new ManagedPolicy(this, 'Operate', {
      description: `Looks at ${props.name}, and sends it commands`,
      statements: [
        ...reads(),
        new PolicyStatement({
          actions: ['sqs:SendMessage'],
          resources: [props.commands.queue.queueArn],
        }),
        // To the queues of events nobody may send, who could then make one up.
        new PolicyStatement({
          actions: [
            ...['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
            ...['sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
          ],
          resources: [props.commands, props.events.lifecycleEvents, props.events.alarmEvents].map(
            ({ deadLetters }) => deadLetters.queueArn,
          ),
        }),
      ],
    })
  }

  private deployment({ name, store, commands, events, eventBus, ...props }: PeopleProps): Deployment {
    const { failoverWindowSeconds, longestCallSeconds } = props.timers
    return {
      version: 1,
      stack: name,
      region: Stack.of(this).region,
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
    }
  }
}
