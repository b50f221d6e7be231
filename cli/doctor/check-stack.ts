import type { AlarmConfig } from '../../functions/contracts/config.ts'
import { inShell } from '../desk/shell-word.ts'
import type { EdgeListShown, Resource, ShownAlarm, State } from '../desk/surroundings.ts'
import { span } from '../desk/times.ts'
import { error, type Finding, runbook, warning } from './finding.ts'

/** A resource of the stack, with what AWS shows of it. */
export interface Shown<T> {
  readonly resource: Resource
  readonly shown: T
}

const redeploy = 'deploy the stack again, which makes it anew'

/** `aws`, as of the others: how the AWS CLI is called for this deployment. */
export function checkRules(rules: readonly Shown<State>[], aws: string): Finding[] {
  return rules.flatMap(({ resource: { name, logicalId }, shown }) => {
    const isSchedule = /EveryMinute/.test(logicalId)
    const what = isSchedule ? 'nothing is called each minute by it' : 'no event comes in by it'
    return switchedOff(
      { check: isSchedule ? 'schedule' : 'rule', on: name, state: shown, what },
      () => `${aws} events enable-rule --name ${inShell(name)}`,
    )
  })
}

export function checkMappings(mappings: readonly Shown<State>[], aws: string): Finding[] {
  return mappings.flatMap(({ resource: { name, logicalId }, shown }) =>
    switchedOff(
      { check: 'queue-consumer', on: logicalId, state: shown, what: 'nobody works its queue off' },
      () => `${aws} lambda update-event-source-mapping --enabled --uuid ${inShell(name)}`,
    ),
  )
}

interface Switch {
  readonly check: string
  readonly on: string
  readonly state: State
  readonly what: string
}
function switchedOff({ check, on, state, what }: Switch, enable: () => string): Finding[] {
  switch (state) {
    case 'enabled':
      return []
    case 'disabled':
      return [error(`${check}-disabled`, on, `it is disabled: ${what}`, enable())]
    case 'gone':
      return [error(`${check}-gone`, on, `it was deleted: ${what}`, redeploy)]
    default:
      return state satisfies never
  }
}

/** @param functions what is reserved for each */
export function checkFunctions(
  functions: readonly Shown<number | 'gone' | undefined>[],
  aws: string,
): Finding[] {
  return functions.flatMap(({ resource: { name, logicalId }, shown }) => {
    const isSettle = /SettleFunction/.test(logicalId)
    const check = isSettle ? 'settle' : 'function'
    const what = isSettle ? 'no edge is read or written' : 'what it is called for is not done'
    if (shown === 'gone') return [error(`${check}-gone`, name, `it was deleted: ${what}`, redeploy)]
    if (shown !== 0) return []
    const free = `${aws} lambda delete-function-concurrency --function-name ${inShell(name)}`
    return [error(`${check}-stopped`, name, `its reserved concurrency is 0: ${what}`, free)]
  })
}

/** More than a burst that is worked off within a minute. */
const backlog = 100

/** Where the runbook has what a queue is for, by how its logical id ends. */
const queueKinds: readonly { readonly ends: RegExp; readonly check: string; readonly anchor: string }[] = [
  { ends: /CommandsDeadLetters\w*$/, check: 'dead-letters', anchor: 'dead-letters-commands' },
  { ends: /LifecycleEventsDeadLetters\w*$/, check: 'dead-letters', anchor: 'dead-letters-lifecycle-events' },
  { ends: /AlarmEventsDeadLetters\w*$/, check: 'dead-letters', anchor: 'dead-letters-alarm-events' },
  { ends: /SettleScheduleFailed\w*$/, check: 'calls-failed', anchor: 'settle-failed' },
  { ends: /SettleScheduleUndelivered\w*$/, check: 'calls-failed', anchor: 'settle-not-called' },
  { ends: /SweepScheduleFailed\w*$/, check: 'calls-failed', anchor: 'sweep-failed' },
  { ends: /SweepScheduleUndelivered\w*$/, check: 'calls-failed', anchor: 'sweep-not-called' },
  { ends: /ScheduleFailed\w*$/, check: 'calls-failed', anchor: 'reconciler-failed' },
  { ends: /ScheduleUndelivered\w*$/, check: 'calls-failed', anchor: 'reconciler-not-called' },
  { ends: /Undelivered\w*$/, check: 'events-undelivered', anchor: 'events-undelivered' },
]

function oldestOf(logicalId: string): string {
  if (logicalId.includes('LifecycleEvents')) return 'oldest-message-lifecycle-events'
  return logicalId.includes('AlarmEvents') ? 'oldest-message-alarm-events' : 'oldest-message-commands'
}

/** @param queues how many messages each has */
export function checkQueues(queues: readonly Shown<number | 'gone'>[]): Finding[] {
  return queues.flatMap(({ resource: { name, logicalId }, shown }) => {
    const on = name.slice(name.lastIndexOf('/') + 1)
    const kind = queueKinds.find(({ ends }) => ends.test(logicalId))
    if (shown === 'gone')
      return [error('queue-gone', on, 'it was deleted: what was sent to it is lost', redeploy)]
    if (kind && shown > 0)
      return [error(kind.check, on, `${shown} messages that could not be done`, runbook(kind.anchor))]
    if (!kind && shown > backlog)
      return [warning('queue-backlog', on, `${shown} messages wait`, runbook(oldestOf(logicalId)))]
    return []
  })
}

/**
 * @param made names of all alarms of the stack
 * @param found those that are there, of which some may be somebody else's
 */
export function checkAlarms(
  made: readonly string[],
  found: readonly ShownAlarm[],
  { now, aws }: { readonly now: number; readonly aws: string },
): Finding[] {
  return [
    ...missing(made, found).map((name) =>
      warning('alarm-gone', name, 'it was deleted: nobody is told of what it watched', redeploy),
    ),
    ...checkShownAlarms(found, now, aws),
  ]
}

function missing(names: readonly string[], found: readonly Pick<ShownAlarm, 'name'>[]): string[] {
  const there = new Set(found.map(({ name }) => name))
  return names.filter((name) => !there.has(name))
}

function checkShownAlarms(alarms: readonly ShownAlarm[], now: number, aws: string): Finding[] {
  return alarms.flatMap(({ name, description, state, since, actionsEnabled }) => {
    const entry = /Runbook: (\S+)/.exec(description)?.[1]
    // Only ours lead to the runbook.
    if (entry === undefined) return []
    const meaning = description.split('. Runbook:')[0] ?? ''
    const age = since === undefined ? '' : ` for ${span(now - since)}`
    return [
      ...(state === 'ALARM' ? [error('alarm', name, `it is in ALARM${age}: ${meaning}`, entry)] : []),
      ...(actionsEnabled
        ? []
        : [
            warning(
              'alarm-muted',
              name,
              'its actions are disabled: nobody is told of it',
              `${aws} cloudwatch enable-alarm-actions --alarm-names ${inShell(name)}`,
            ),
          ]),
    ]
  })
}

/** The alarms that servers are drained on. */
export function checkServerAlarms(
  wanted: readonly AlarmConfig[],
  found: readonly Pick<ShownAlarm, 'name'>[],
): Finding[] {
  const names = wanted.map(({ name }) => name)
  return missing(names, found).map((name) =>
    error(
      'server-alarm-missing',
      name,
      'there is no alarm of this name: it drains nothing',
      "make it, or correct its name in the settings' alarms and deploy",
    ),
  )
}

/** @param known edges that a settle has seen */
export function checkEdgeList(
  list: EdgeListShown,
  known: readonly string[],
  { edgesPath, aws }: { readonly edgesPath: string; readonly aws: string },
): Finding[] {
  const { refused, edges, withoutRoute, withoutParameter } = list
  if (refused !== undefined)
    return [
      error(
        'edge-list-refused',
        edgesPath,
        refused,
        `correct the parameter with ${aws} ssm put-parameter --overwrite: ${runbook('edge-list-refused')}`,
      ),
    ]
  const toRoutes = runbook('edge-routes-differ')
  return [
    ...edges
      .filter((edge) => !known.includes(edge))
      .map((edge) => error('edge-unknown', edge, 'no settle has seen its parameter yet', runbook('edges'))),
    ...withoutRoute.map((edge) =>
      error('edge-without-route', edge, 'it has a parameter, and the API has no route to it', toRoutes),
    ),
    ...withoutParameter.map((edge) =>
      error(
        'edge-without-parameter',
        edge,
        'the API has a route to it, and nobody asks it anything',
        toRoutes,
      ),
    ),
  ]
}
