import { Duration } from 'aws-cdk-lib'
import { type IMetric, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { IRule } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import type { ControlMetrics } from './control-metrics.ts'
import type { Delivery } from './delivery.ts'

/** One alarm: what it watches and what it means. Its entry in the runbook is the heading with this anchor. */
export interface AlarmKind {
  readonly anchor: string
  /** what has happened, and why this is the threshold: the first words that somebody on call reads */
  readonly meaning: string
  readonly metric: IMetric
  readonly threshold: number
  /** how many periods in a row; 1 unless given */
  readonly periods?: number
  readonly missing: { readonly as: TreatMissingData; readonly why: string }
}

/** Long enough that each drain's slowest step, every 120 s, falls into it twice. */
const period = Duration.minutes(5)

/** Most of our metrics are written only when what they count happens. */
const onlyWhenItHappens = {
  as: TreatMissingData.NOT_BREACHING,
  why: 'it is counted only when it happens',
} as const

const sum: MetricOptions = { statistic: 'Sum', period }

function happened(metric: IMetric): Pick<AlarmKind, 'metric' | 'threshold' | 'missing'> {
  return { metric, threshold: 1, missing: onlyWhenItHappens }
}

/** What is alarmed whatever is deployed. */
export function fleetAlarms(control: ControlMetrics): Readonly<Record<string, AlarmKind>> {
  return {
    EdgesUnreachable: {
      anchor: 'edges-unreachable',
      meaning:
        'At every settling of five minutes an edge could not be read: its calls are unknown, and the drains that it is part of wait. Once alone may be a restart',
      metric: control.metricEdgesUnreachable({ statistic: 'Minimum', period }),
      threshold: 1,
      missing: {
        as: TreatMissingData.BREACHING,
        why: 'every edge is settled each minute: none for five minutes means that the settle function does not run, and nobody looks',
      },
    },
    Drift: {
      anchor: 'drift',
      meaning:
        'For fifteen minutes edges have again and again not shown what the holds ask for. Once is a reload or a restart, which is corrected; this is somebody who works against us',
      ...happened(control.metricDrift(sum)),
      periods: 3,
    },
    DrainsPastDeadline: {
      anchor: 'drains-past-deadline',
      meaning:
        "A drain reached its deadline with calls left, or unknown: the group's policy has decided. Each one may have cost calls",
      ...happened(control.metricDrainsPastDeadline(sum)),
    },
    CompletionsFailed: {
      anchor: 'completions-failed',
      meaning:
        'A lifecycle action could not be completed in ten tries. It is kept alive and tried on, and each one holds up Auto Scaling',
      ...happened(control.metricCompletionsFailed(sum)),
    },
    RetainedTooLong: {
      anchor: 'retained-too-long',
      meaning:
        'An instance has been retained for its calls longer than its group allows (retainedMaxAgeSeconds), and is billed. It is published once for each',
      ...happened(control.metricRetainedTooLong(sum)),
    },
    EdgeListRefused: {
      anchor: 'edge-list-refused',
      meaning:
        'An edge parameter is wrong, or the list can not be read: the last good list of edges is used, which may be old. Each refusal counts: a wrong edit mends itself never',
      ...happened(control.metricEdgeListRefused(sum)),
    },
    EdgeRoutesDiffer: {
      anchor: 'edge-routes-differ',
      meaning:
        'For fifteen minutes an edge has had a parameter and no route, or a route and no parameter. For a while that is somebody who adds or removes one; this was left half done',
      ...happened(control.metricEdgeRoutesDiffer(sum)),
      periods: 3,
    },
    HeartbeatsFailed: {
      anchor: 'heartbeats-failed',
      meaning:
        'Two heartbeats of lifecycle actions failed within five minutes. One is tried again at the next step, in time; two are the same one again, or all of them',
      ...happened(control.metricHeartbeatsFailed(sum)),
      threshold: 2,
    },
    RecordsMissing: {
      anchor: 'records-missing',
      meaning:
        'A drain runs whose record is not in the table: its heartbeats go on, and nothing looks at its calls or ends it, so one is too many',
      ...happened(control.metricRecordsMissing(sum)),
    },
    ...messageAlarms(control),
  }
}

/** What came, or went out, and was lost, refused or found late. */
function messageAlarms(control: ControlMetrics): Readonly<Record<string, AlarmKind>> {
  return {
    Swept: {
      anchor: 'swept',
      meaning:
        'The sweep found an instance, a drain or a hold that no event told of, or that nobody went on with. It has put that right; an event was lost or an execution stopped, so one is worth a look',
      ...happened(control.metricSwept(sum)),
    },
    EventsRefused: {
      anchor: 'events-refused',
      meaning:
        'For fifteen minutes the event bus has refused events. They are kept and published later; until then nobody who listens knows what happens',
      ...happened(control.metricEventsRefused(sum)),
      periods: 3,
    },
    EventsNotKept: {
      anchor: 'events-not-kept',
      meaning:
        'An event was refused by the bus, and by the table that keeps such events: whoever listens never hears of it, so one is too many',
      ...happened(control.metricEventsLost(sum)),
    },
    MessagesRejected: {
      anchor: 'messages-rejected',
      meaning:
        'A message was refused for good, and is in its dead-letter queue with the reason. Each one is a command or event that was not done',
      ...happened(control.metricRejected(sum)),
    },
  }
}

export function clearanceAlarms(control: ControlMetrics): Readonly<Record<string, AlarmKind>> {
  return {
    BelowFloor: {
      anchor: 'below-floor',
      meaning:
        'In each minute of five a floor was not kept: fewer servers get calls than the settings ask for, and drains by choice wait. A minute alone may be a server that restarts',
      metric: control.metricBelowFloor({ statistic: 'Minimum', period }),
      threshold: 1,
      missing: {
        as: TreatMissingData.NOT_BREACHING,
        why: 'it is counted each minute where the settings have floors',
      },
    },
  }
}

const staysUntilTouched = {
  as: TreatMissingData.IGNORE,
  why: 'SQS stops reporting a queue that nobody touches, also one with messages in it',
} as const

export function holds(queue: IQueue, threshold: number): Pick<AlarmKind, 'metric' | 'threshold'> {
  return {
    metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
    threshold,
  }
}

/** @param oldestSeconds how old a message may get before the alarm */
export function queueAlarms(
  name: string,
  what: string,
  queues: { readonly queue: IQueue; readonly deadLetters: IQueue },
  oldestSeconds: number,
): Readonly<Record<string, AlarmKind>> {
  return {
    [`${name}DeadLetters`]: {
      anchor: `dead-letters-${what.replaceAll(' ', '-')}`,
      meaning: `There are ${what} that could not be done and will not be tried again: one is too many`,
      ...holds(queues.deadLetters, 1),
      missing: staysUntilTouched,
    },
    [`${name}Oldest`]: {
      anchor: `oldest-message-${what.replaceAll(' ', '-')}`,
      meaning: `${what[0]?.toUpperCase()}${what.slice(1)} have waited for more than ${oldestSeconds} s: seven failed tries, or nobody works the queue off`,
      metric: queues.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period }),
      threshold: oldestSeconds,
      missing: {
        as: TreatMissingData.NOT_BREACHING,
        why: 'SQS reports no age for a queue that has been empty for hours',
      },
    },
  }
}

/** What EventBridge could neither deliver nor put into the rule's queue. */
export function lostEvents(rule: IRule): Metric {
  return new Metric({
    namespace: 'AWS/Events',
    metricName: 'InvocationsFailedToBeSentToDlq',
    dimensionsMap: { RuleName: rule.ruleName },
    ...sum,
  })
}

export function lost(what: string, rule: IRule): AlarmKind {
  return {
    anchor: 'events-lost',
    meaning: `EventBridge could deliver ${what} neither to the target nor to the queue for it: it is gone, and one is too many`,
    metric: lostEvents(rule),
    threshold: 1,
    missing: { as: TreatMissingData.NOT_BREACHING, why: 'EventBridge reports only what is not zero' },
  }
}

/** @param name the rule's */
export function ruleAlarms(
  name: string,
  { rule, undelivered }: Delivery,
): Readonly<Record<string, AlarmKind>> {
  return {
    [`${name}Undelivered`]: {
      anchor: 'events-undelivered',
      meaning: `EventBridge could not deliver an event of the rule ${name}, and will not try again: nobody knows of it, so one is too many`,
      ...holds(undelivered, 1),
      missing: staysUntilTouched,
    },
    [`${name}Lost`]: lost(`an event of the rule ${name}`, rule),
  }
}

/**
 * Nothing but a defect, or a hand, ends an execution so: each step's failure leads back to waiting. Three
 * alarms rather than one with metric math, which the emulators don't know.
 */
export function executionAlarms(stateMachine: IStateMachine): Readonly<Record<string, AlarmKind>> {
  const kind = (how: string, anchor: string, metric: IMetric): AlarmKind => ({
    anchor,
    meaning: `An execution of the drain workflow ${how}: its drain is watched by nobody until the sweep starts its next attempt, within two minutes, and whatever ended it may end that too`,
    metric,
    threshold: 1,
    missing: { as: TreatMissingData.NOT_BREACHING, why: 'Step Functions reports only what happens' },
  })
  return {
    ExecutionsFailed: kind('failed', 'executions-failed', stateMachine.metricFailed(sum)),
    ExecutionsTimedOut: kind(
      'was ended by AWS, as too old',
      'executions-timed-out',
      stateMachine.metricTimedOut(sum),
    ),
    ExecutionsAborted: kind('was stopped by somebody', 'executions-aborted', stateMachine.metricAborted(sum)),
  }
}

export function functionAlarms(name: string, lambda: IFunction): Readonly<Record<string, AlarmKind>> {
  const missing = { as: TreatMissingData.NOT_BREACHING, why: 'Lambda reports only when the function runs' }
  return {
    [`${name}Errors`]: {
      anchor: 'function-errors',
      meaning: `${name} has failed in each five minutes of fifteen. One failure is tried again, and a busy edge makes some; this does not go away`,
      metric: lambda.metricErrors(sum),
      threshold: 1,
      periods: 3,
      missing,
    },
    [`${name}Throttles`]: {
      anchor: 'function-throttles',
      meaning: `${name} was refused by Lambda in each five minutes of fifteen: the concurrency of the account, or what is reserved for it, is used up. A burst is tried again and raises no alarm`,
      metric: lambda.metricThrottles(sum),
      threshold: 1,
      periods: 3,
      missing,
    },
  }
}
