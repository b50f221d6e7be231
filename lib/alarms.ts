import { Alarm, ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import {
  type AlarmKind,
  clearanceAlarms,
  executionAlarms,
  fleetAlarms,
  functionAlarms,
  queueAlarms,
  ruleAlarms,
} from './alarm-kinds.ts'
import type { DispatcherControl } from './dispatcher-control.ts'
import { reconcilerAlarms, settleAlarms, sweepAlarms } from './schedule-alarms.ts'

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
 * Seconds that a message may wait. Seven failed tries take 254 s. A lifecycle event must be worked on well
 * within its heartbeat timeout; people and alarms can wait no longer.
 */
const oldestSeconds = 300

/**
 * Everything that somebody on call must know of, each with the reason for its threshold and the way to its
 * runbook entry.
 */
export class Alarms extends Construct {
  /** A rule that `manage` or `drainOnAlarm` brings later adds its own. */
  readonly alarms: Alarm[] = []
  private readonly runbookUrl: string
  private readonly toTopic: SnsAction | undefined

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { control, runbookUrl = 'docs/operations.md', topicArn } = props
    this.runbookUrl = runbookUrl
    this.toTopic =
      topicArn === undefined ? undefined : new SnsAction(Topic.fromTopicArn(this, 'Topic', topicArn))
    this.add(fleetAlarms(control))
    this.add(clearanceAlarms(control))
    this.add(
      queueAlarms('LifecycleEvents', 'lifecycle events', control.events.lifecycleEvents, oldestSeconds),
    )
    this.add(queueAlarms('AlarmEvents', 'alarm events', control.events.alarmEvents, oldestSeconds))
    this.add(queueAlarms('Commands', 'commands', control.commands, oldestSeconds))
    control.events.eachRule((name, delivery) => this.add(ruleAlarms(name, delivery)))
    this.add(reconcilerAlarms(control.schedules.reconcile))
    this.add(settleAlarms(control.schedules.settle))
    this.add(sweepAlarms(control.schedules.sweep))
    this.add(executionAlarms(control.workflow.stateMachine))
    for (const [name, lambda] of Object.entries(control.watched)) this.add(functionAlarms(name, lambda))
  }

  private add(kinds: Readonly<Record<string, AlarmKind>>): void {
    for (const [name, kind] of Object.entries(kinds)) {
      const alarm = this.alarm(name, kind)
      this.alarms.push(alarm)
      if (this.toTopic === undefined) continue
      alarm.addAlarmAction(this.toTopic)
      alarm.addOkAction(this.toTopic)
    }
  }

  private alarm(name: string, kind: AlarmKind): Alarm {
    const { anchor, meaning, metric, threshold, periods = 1, missing } = kind
    return new Alarm(this, name, {
      alarmDescription: `${meaning}. Runbook: ${this.runbookUrl}#${anchor} (No data: ${missing.why}.)`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: missing.as,
    })
  }
}
