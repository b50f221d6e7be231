import { Stack } from 'aws-cdk-lib'
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { type MetricName, metricNames, metricNamespace } from '../functions/contracts/names.ts'
import type { DeadlineChoice } from '../functions/control/deadline.ts'

/**
 * The metrics of a deployment. Those of its queues, functions, table and state machine are on these
 * themselves. Each is summed up unless its options name another statistic.
 */
export abstract class ControlMetrics extends Construct {
  /**
   * The dimension `service` of each of them, and `service` in each line of the log: the stack's name and the
   * construct's path in it.
   */
  readonly service: string = serviceName(this)

  /** Events that were not ours, or old. */
  metricSkipped(options?: MetricOptions): Metric {
    return this.metric(metricNames.skipped, {}, options)
  }

  /** Messages that can never succeed, and went to a dead-letter queue. */
  metricRejected(options?: MetricOptions): Metric {
    return this.metric(metricNames.rejected, {}, options)
  }

  /** Edges that could not be read. */
  metricEdgesUnreachable(options?: MetricOptions): Metric {
    return this.metric(metricNames.edgesUnreachable, {}, options)
  }

  /** Entries of the edges' lists that can't be read as destinations: nothing is written to them. */
  metricOpaqueEntries(options?: MetricOptions): Metric {
    return this.metric(metricNames.opaqueEntries, {}, options)
  }

  /** Destinations of an edge that were not in the state that the holds ask for. */
  metricDrift(options?: MetricOptions): Metric {
    return this.metric(metricNames.drift, {}, options)
  }

  /** Drains that their policy ended, with calls left or unknown. */
  metricDrainsPastDeadline(options?: MetricOptions): Metric {
    return this.metric(metricNames.drainsPastDeadline, {}, options)
  }

  /** What was chosen at the deadline of lifecycle drains with calls left or unknown. */
  metricDeadlineDecisions(policy: DeadlineChoice, options?: MetricOptions): Metric {
    return this.metric(metricNames.deadlineDecisions, { policy }, options)
  }

  /** Calls that were ended with BYEs, by the policy `end-calls`. */
  metricCallsEnded(options?: MetricOptions): Metric {
    return this.metric(metricNames.callsEnded, {}, options)
  }

  /** Drains whose instance is retained for longer than it may be. */
  metricRetainedTooLong(options?: MetricOptions): Metric {
    return this.metric(metricNames.retainedTooLong, {}, options)
  }

  /** Lifecycle actions that could not be completed. */
  metricCompletionsFailed(options?: MetricOptions): Metric {
    return this.metric(metricNames.completionsFailed, {}, options)
  }

  /** Times that an edit of the edges was refused and the last good list was kept. */
  metricEdgeListRefused(options?: MetricOptions): Metric {
    return this.metric(metricNames.edgeListRefused, {}, options)
  }

  /**
   * Edges that have a parameter and no route, or a route and no parameter, each time that the parameters were
   * read.
   */
  metricEdgeRoutesDiffer(options?: MetricOptions): Metric {
    return this.metric(metricNames.edgeRoutesDiffer, {}, options)
  }

  /** Heartbeats that Auto Scaling did not take. */
  metricHeartbeatsFailed(options?: MetricOptions): Metric {
    return this.metric(metricNames.heartbeatsFailed, {}, options)
  }

  /** Events that the event bus refused: they are kept, and published later. */
  metricEventsRefused(options?: MetricOptions): Metric {
    return this.metric(metricNames.eventsRefused, {}, options)
  }

  /** Events that could be neither published nor kept. */
  metricEventsLost(options?: MetricOptions): Metric {
    return this.metric(metricNames.eventsLost, {}, options)
  }

  /** What the sweep found and put right: an event was lost, or looks have stopped. */
  metricSwept(options?: MetricOptions): Metric {
    return this.metric(metricNames.swept, {}, options)
  }

  /**
   * Floors that are not kept, whatever took the servers: the most at once, unless the options name another.
   */
  metricBelowFloor(options?: MetricOptions): Metric {
    return this.metric(metricNames.belowFloor, {}, { statistic: Stats.MAXIMUM, ...options })
  }

  /** Drains by choice that wait for clearance: the most at once, unless the options name another. */
  metricWaitingDrains(options?: MetricOptions): Metric {
    return this.metric(metricNames.waitingDrains, {}, { statistic: Stats.MAXIMUM, ...options })
  }

  /** 1 while a freeze is in force: the highest, unless the options name another. */
  metricFrozen(options?: MetricOptions): Metric {
    return this.metric(metricNames.frozen, {}, { statistic: Stats.MAXIMUM, ...options })
  }

  /** Steps of drains whose record is not in the table. */
  metricRecordsMissing(options?: MetricOptions): Metric {
    return this.metric(metricNames.recordsMissing, {}, options)
  }

  /** How long it took to settle every edge, in milliseconds: the longest unless the options name another. */
  metricSettleDuration(options?: MetricOptions): Metric {
    return this.metric(metricNames.settleDuration, {}, { statistic: Stats.MAXIMUM, ...options })
  }

  /** Servers to which some edge may send new calls: the mean, unless the options name another. */
  metricServersInService(options?: MetricOptions): Metric {
    return this.metric(metricNames.serversInService, {}, { statistic: Stats.AVERAGE, ...options })
  }

  /**
   * Calls of all servers that are not draining, no data while they are unknown: the mean, unless the options
   * name another.
   */
  metricActiveCalls(options?: MetricOptions): Metric {
    return this.metric(metricNames.activeCalls, {}, { statistic: Stats.AVERAGE, ...options })
  }

  /**
   * {@link metricActiveCalls} by {@link metricServersInService}, for a scaling policy: the mean, unless the
   * options name another.
   */
  metricActiveCallsPerServer(options?: MetricOptions): Metric {
    return this.metric(metricNames.activeCallsPerServer, {}, { statistic: Stats.AVERAGE, ...options })
  }

  /** Servers of one group that are draining: the most at once, unless the options name another. */
  metricDrainingServers(group: string, options?: MetricOptions): Metric {
    return this.metric(metricNames.drainingServers, { group }, { statistic: Stats.MAXIMUM, ...options })
  }

  /** Calls left on the draining servers of one group: the most at once, unless the options name another. */
  metricDrainingCalls(group: string, options?: MetricOptions): Metric {
    return this.metric(metricNames.drainingCalls, { group }, { statistic: Stats.MAXIMUM, ...options })
  }

  /**
   * Draining servers of one group that may have calls which no edge could count: the most at once, unless the
   * options name another.
   */
  metricDrainingUnknown(group: string, options?: MetricOptions): Metric {
    return this.metric(metricNames.drainingUnknown, { group }, { statistic: Stats.MAXIMUM, ...options })
  }

  private metric(name: MetricName, dimensions: Record<string, string>, options?: MetricOptions): Metric {
    return new Metric({
      namespace: metricNamespace,
      metricName: name,
      dimensionsMap: { service: this.service, ...dimensions },
      statistic: Stats.SUM,
      ...options,
    })
  }
}

/** @returns what no other construct of the account and region has, e.g. `dispatcher-control/Control` */
export function serviceName(construct: Construct): string {
  const stack = Stack.of(construct)
  return `${stack.stackName}${construct.node.path.slice(stack.node.path.length)}`
}
