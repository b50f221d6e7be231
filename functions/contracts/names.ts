/** Names that cross a border between functions, the stack, alarms and the runbook: written once. */

export const environment = {
  config: 'DISPATCHER_CONTROL_CONFIG',
  table: 'TABLE_NAME',
  edgesPath: 'EDGES_PATH',
  rpcSecretParameter: 'RPC_SECRET_PARAMETER',
  eventBus: 'EVENT_BUS_NAME',
  stateMachine: 'STATE_MACHINE_ARN',
  /** the one function that reaches edges */
  settle: 'SETTLE_FUNCTION',
  queue: 'QUEUE_URL',
  deadLetterQueue: 'DEAD_LETTER_QUEUE_URL',
  /** which deployment counts and logs; the logger reads it too, and so it has Powertools' own name */
  service: 'POWERTOOLS_SERVICE_NAME',
} as const

/** How the edges are reached, unless directly. */
export const edgeAccessEnvironment = {
  /** the API whose VPC link leads to them */
  api: 'EDGE_API_URL',
  /** the ids of the edges that the API has a route to, with commas between them */
  routes: 'EDGE_ROUTES',
  /** the relay function's ARN */
  relay: 'EDGE_RELAY',
  /** which parameters hold the CA, client certificate and key for edges that speak TLS, as JSON */
  tls: 'EDGE_TLS',
  /** the relay function's own: where it may reach edges */
  relayTargets: 'RELAY_TARGETS',
} as const

/**
 * The CDK context that the lab sets: its simulator of Auto Scaling takes heartbeat timeouts that AWS refuses.
 */
export const simulatedAutoScaling = 'dispatcher-control:simulated-auto-scaling'

/** `source` of every event that we publish. */
export const eventSource = 'dispatcher-control'

/** `detail-type` of the events that we publish; `docs/operations.md` has what each means. */
export const eventTypes = {
  drainStarted: 'Drain Started',
  drainWaiting: 'Drain Waiting',
  drainSuperseded: 'Drain Superseded',
  drainConfirmed: 'Drain Confirmed',
  drainProgress: 'Drain Progress',
  drained: 'Drain Drained',
  heartbeatFailed: 'Heartbeat Failed',
  drainOverdue: 'Drain Overdue',
  callsEnded: 'Calls Ended',
  instanceRetained: 'Instance Retained',
  retainedTooLong: 'Retained Too Long',
  drainEnded: 'Drain Ended',
  lifecycleCompleted: 'Lifecycle Action Completed',
  lifecycleCompletionFailed: 'Lifecycle Action Completion Failed',
  launchAdmitted: 'Launch Admitted',
  launchUnlisted: 'Launch Unlisted',
  holdLifted: 'Hold Lifted',
  driftCorrected: 'Drift Corrected',
  commandAnswered: 'Command Answered',
  commandSettled: 'Command Settled',
  messageRejected: 'Message Rejected',
  reloadFinished: 'Reload Finished',
  edgeListChanged: 'Edge List Changed',
  edgeListRefused: 'Edge List Refused',
  edgeReleased: 'Edge Released',
  edgeReleaseEnded: 'Edge Release Ended',
  swept: 'Swept',
  belowFloor: 'Below Floor',
  frozen: 'Frozen',
  freezeEnded: 'Freeze Ended',
} as const
export type EventType = (typeof eventTypes)[keyof typeof eventTypes]

export const metricNamespace = 'DispatcherControl'
/**
 * Every metric has the dimension `service`, which deployment it is; the draining ones `group` as well,
 * decisions `policy`.
 */
export const metricNames = {
  skipped: 'Skipped',
  rejected: 'Rejected',
  edgesUnreachable: 'EdgesUnreachable',
  /** entries of the edges' lists that can't be read as destinations */
  opaqueEntries: 'OpaqueEntries',
  drift: 'Drift',
  drainsPastDeadline: 'DrainsPastDeadline',
  /** what was chosen at the deadline of a lifecycle drain, by `policy` */
  deadlineDecisions: 'DeadlineDecisions',
  /** calls that we ended with BYEs, by policy */
  callsEnded: 'CallsEnded',
  retainedTooLong: 'RetainedTooLong',
  completionsFailed: 'CompletionsFailed',
  edgeListRefused: 'EdgeListRefused',
  /** edges that have a parameter and no route, or a route and no parameter */
  edgeRoutesDiffer: 'EdgeRoutesDiffer',
  heartbeatsFailed: 'HeartbeatsFailed',
  /** events that the event bus refused, and that are kept for later */
  eventsRefused: 'EventsRefused',
  /** events that could be neither published nor kept */
  eventsLost: 'EventsLost',
  /** floors that are not kept, whatever took the servers, once a minute */
  belowFloor: 'BelowFloor',
  /** drains by choice that wait for clearance, once a minute */
  waitingDrains: 'WaitingDrains',
  /** 1 while a freeze is in force, once a minute */
  frozen: 'Frozen',
  /** what the sweep found: an event was lost, or looks have stopped */
  swept: 'Swept',
  /** steps of a drain whose record is not in the table */
  recordsMissing: 'RecordsMissing',
  /** milliseconds that settling every edge took, once a minute */
  settleDuration: 'SettleDuration',
  /** servers to which some edge may send new calls */
  serversInService: 'ServersInService',
  /** calls of all servers that are not draining; not written while they are unknown */
  activeCalls: 'ActiveCalls',
  activeCallsPerServer: 'ActiveCallsPerServer',
  drainingServers: 'DrainingServers',
  drainingCalls: 'DrainingCalls',
  /** draining servers that may have calls which no edge could count */
  drainingUnknown: 'DrainingUnknown',
} as const
export type MetricName = (typeof metricNames)[keyof typeof metricNames]

/**
 * The EC2 tag that names an instance's destinations, separated by spaces, where neither its addresses nor its
 * id do.
 */
export const destinationTag = 'dispatcher-control:destinations'
/** The CloudWatch alarm tag that names the alarm's target (an instance id or a destination). */
export const alarmTargetTag = 'dispatcher-control:target'
