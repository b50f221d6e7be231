import { Duration } from 'aws-cdk-lib'
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { type MetricName, metricNames, metricNamespace } from '../functions/contracts/names.ts'
import { lostEvents } from './alarm-kinds.ts'
import type { DispatcherControl } from './dispatcher-control.ts'

export interface OperationsDashboardProps {
  readonly control: DispatcherControl
  readonly alarms: Alarm[]
}

/**
 * One page: alarms, calls and servers that are draining by group, floors and what waits for them, drains,
 * edges, queue lag, executions, errors.
 */
export class OperationsDashboard extends Construct {
  readonly dashboard: Dashboard

  constructor(scope: Construct, id: string, props: OperationsDashboardProps) {
    super(scope, id)
    const { control } = props
    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(12) })
    this.dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms, width: 24 }))
    const rows = [draining, inService, clearance, edges, drains, queues, delivery, functions]
    for (const row of rows) this.dashboard.addWidgets(...row(control))
  }
}

function draining({ service }: DispatcherControl): GraphWidget[] {
  return [
    graph('Calls on draining servers, by group', [perGroup(service, metricNames.drainingCalls)]),
    graph('Draining servers, by group', [perGroup(service, metricNames.drainingServers)]),
    graph('Draining servers with calls unknown', [perGroup(service, metricNames.drainingUnknown)]),
  ]
}

function inService(control: DispatcherControl): GraphWidget[] {
  return [
    graph('Calls on servers in service', [control.metricActiveCalls()]),
    graph('Servers in service', [control.metricServersInService()]),
    graph('Calls per server in service', [control.metricActiveCallsPerServer()]),
  ]
}

function clearance(control: DispatcherControl): GraphWidget[] {
  return [
    graph('Floors not kept', [control.metricBelowFloor()]),
    graph('Drains waiting for clearance', [control.metricWaitingDrains()]),
    graph('Frozen', [control.metricFrozen()]),
  ]
}

function edges(control: DispatcherControl): GraphWidget[] {
  return [
    graph('Edges, and entries of lists, that could not be read', [
      control.metricEdgesUnreachable({ statistic: 'Maximum' }),
      control.metricOpaqueEntries({ statistic: 'Maximum' }),
    ]),
    graph('Drift corrected', [control.metricDrift()]),
    graph('To settle every edge takes (ms)', [
      control.metricSettleDuration({ statistic: 'Average' }),
      control.metricSettleDuration(),
    ]),
  ]
}

function drains(control: DispatcherControl): GraphWidget[] {
  const { stateMachine } = control.workflow
  return [
    graph('Drains in trouble', [
      control.metricDrainsPastDeadline(),
      control.metricDeadlineDecisions('terminate', { label: 'terminated at the deadline' }),
      control.metricCallsEnded(),
      control.metricHeartbeatsFailed(),
      control.metricRecordsMissing(),
      control.metricSwept(),
      control.metricCompletionsFailed(),
      control.metricRetainedTooLong(),
    ]),
    graph('Executions', [
      stateMachine.metricStarted(),
      stateMachine.metricSucceeded(),
      stateMachine.metricFailed(),
      stateMachine.metricTimedOut(),
      stateMachine.metricAborted(),
    ]),
    graph('Messages rejected and skipped, events and edge lists refused, events lost, routes amiss', [
      control.metricRejected(),
      control.metricSkipped(),
      control.metricEventsRefused(),
      control.metricEventsLost(),
      control.metricEdgeListRefused(),
      control.metricEdgeRoutesDiffer(),
    ]),
  ]
}

function queues({ events, commands }: DispatcherControl): GraphWidget[] {
  const all = [events.lifecycleEvents, events.alarmEvents, commands]
  return [
    graph(
      'Oldest message (s)',
      all.map(({ queue }) => queue.metricApproximateAgeOfOldestMessage()),
    ),
    graph(
      'Messages waiting',
      all.map(({ queue }) => queue.metricApproximateNumberOfMessagesVisible()),
    ),
    graph(
      'Dead letters',
      all.map(({ deadLetters }) => deadLetters.metricApproximateNumberOfMessagesVisible()),
    ),
  ]
}

function delivery(control: DispatcherControl): GraphWidget[] {
  const schedules = Object.values(control.schedules)
  const undelivered = graph(
    'Events not delivered',
    schedules
      .flatMap(({ delivery, failed }) => [delivery.undelivered, failed])
      .map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
  )
  const lost = graph(
    'Events lost',
    schedules.map(({ delivery }) => lostEvents(delivery.rule)),
  )
  control.events.eachRule((_, { rule, undelivered: queue }) => {
    undelivered.addLeftMetric(queue.metricApproximateNumberOfMessagesVisible())
    lost.addLeftMetric(lostEvents(rule))
  })
  return [undelivered, lost]
}

function functions({ watched }: DispatcherControl): GraphWidget[] {
  const all = Object.entries(watched)
  return [
    graph(
      'Function errors',
      all.map(([label, lambda]) => lambda.metricErrors({ label })),
    ),
    graph(
      'Function throttles',
      all.map(([label, lambda]) => lambda.metricThrottles({ label })),
    ),
    graph(
      'Function duration (ms, p99)',
      all.map(([label, lambda]) => lambda.metricDuration({ label, statistic: 'p99' })),
    ),
  ]
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, leftYAxis: { min: 0 } })
}

/** Every group there is, also one that is added later. */
function perGroup(service: string, name: MetricName): MathExpression {
  return new MathExpression({
    expression: `SEARCH('{${metricNamespace},service,group} MetricName="${name}" service="${service}"', 'Maximum')`,
    label: '',
    usingMetrics: {},
  })
}
