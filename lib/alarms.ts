import { Alarm, ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { type AlarmKind, executionAlarms, fleetAlarms, functionAlarms, queueAlarms } from './alarm-kinds.ts'
import type { DispatcherControl } from './dispatcher-control.ts'

export interface AlarmsProps {
  readonly control: DispatcherControl
  /**
   * Where the runbook is read; each alarm's description leads to its entry there.
   * @default 'docs/operations.md', in this repository
   */
  readonly runbookUrl?: string
  /**
   * The SNS topic that is told of each alarm, and of its end.
   * @default - nobody is told
   */
  readonly topicArn?: string
}

/**
 * Seconds that a message may wait. Seven failed tries take 254 s. A lifecycle event must be worked on well within its
 * heartbeat timeout; people and alarms can wait no longer.
 */
const oldestSeconds = 300

/** Everything that somebody on call must know of, each with the reason for its threshold and the way to its runbook entry. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { control, runbookUrl = 'docs/operations.md', topicArn } = props
    const kinds: Record<string, AlarmKind> = {
      ...fleetAlarms(control),
      ...queueAlarms('LifecycleEvents', 'lifecycle events', control.events.lifecycleEvents, oldestSeconds),
      ...queueAlarms('AlarmEvents', 'alarm events', control.events.alarmEvents, oldestSeconds),
      ...queueAlarms('Commands', 'commands', control.commands, oldestSeconds),
      ...executionAlarms(control.workflow.stateMachine),
    }
    for (const [name, lambda] of Object.entries(control.functions))
      Object.assign(kinds, functionAlarms(name, lambda))
    this.alarms = Object.entries(kinds).map(([name, kind]) => this.alarm(name, kind, runbookUrl))
    if (topicArn === undefined) return
    const tell = new SnsAction(Topic.fromTopicArn(this, 'Topic', topicArn))
    for (const alarm of this.alarms) {
      alarm.addAlarmAction(tell)
      alarm.addOkAction(tell)
    }
  }

  private alarm(name: string, kind: AlarmKind, runbookUrl: string): Alarm {
    const { anchor, meaning, metric, threshold, periods = 1, missing } = kind
    return new Alarm(this, name, {
      alarmDescription: `${meaning}. Runbook: ${runbookUrl}#${anchor} (No data: ${missing.why}.)`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: missing.as,
    })
  }
}
