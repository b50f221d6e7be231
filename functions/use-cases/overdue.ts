import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { chooseAtDeadline, type Left } from '../control/deadline.ts'
import type { DrainRecord, LifecycleTarget } from '../control/drain-record.ts'
import { StoreConflict } from '../control/errors.ts'
import { answer, carryOn, nextOf, save, summary } from './drain-step.ts'
import { type CallsOnEdge, endSomeCalls } from './end-calls.ts'
import type { Ports } from './ports.ts'

/** What the policy decides on, where calls are known to be, and whether a later look can confirm a zero. */
type Found = Left & { readonly zeroPending: boolean; readonly onEdges: readonly CallsOnEdge[] }

/** At the deadline calls are left, or unknown: the group's stated policy decides, and it is said. */
export async function overdue(ports: Ports, record: DrainRecord, found: Found): Promise<WorkflowPayload> {
  const { callsLeft, unknown, zeroPending } = found
  if (record.retainedAt !== undefined) {
    const said = retainedTooLong(ports, record) ? await sayRetainedTooLong(ports, record, found) : record
    return carryOn(ports, said, nextOf(said), { zeroPending })
  }
  if (record.lifecycle) return decide(ports, record, record.lifecycle, found)
  if (record.overdueSaid) return carryOn(ports, record, 'observe', { zeroPending })
  ports.metrics.count(metricNames.drainsPastDeadline, 1)
  await ports.events.publish({
    type: eventTypes.drainOverdue,
    detail: { ...summary(record), callsLeft, unknown },
  })
  return carryOn(ports, await save(ports, record, { overdueSaid: true }), 'observe', { zeroPending })
}

async function decide(
  ports: Ports,
  record: DrainRecord,
  target: LifecycleTarget,
  found: Found,
): Promise<WorkflowPayload> {
  if (isEnding(ports, record)) return endOn(ports, record, target, found)
  const tried = record.endingSince !== undefined
  // Calls that could not be ended in time go with the instance; what is unknown still goes by its own rule.
  const policy = tried ? ({ ...target.policy, callsLeft: 'terminate' } as const) : target.policy
  const { choice, because } = chooseAtDeadline(policy, found)
  const before = tried ? `${record.callsEnded ?? 0} calls were ended and the time for it is over: ` : ''
  ports.metrics.count(metricNames.drainsPastDeadline, 1)
  ports.metrics.count(metricNames.deadlineDecisions, 1, { policy: choice })
  await ports.events.publish({
    type: eventTypes.drainOverdue,
    detail: {
      ...summary(record),
      policy: choice,
      because: `${before}${because}`,
      callsLeft: found.callsLeft,
      unknown: found.unknown,
    },
  })
  if (choice === 'end-calls') {
    const begun = await save(ports, record, { overdueSaid: true, endingSince: ports.clock.now() })
    return endOn(ports, begun, target, found)
  }
  const completing = await save(ports, record, {
    overdueSaid: true,
    state: 'completing',
    result: choice === 'terminate' ? 'terminated-at-deadline' : 'retained',
    completion: choice === 'terminate' ? 'CONTINUE' : 'ABANDON',
  })
  return answer(ports, completing, 'complete')
}

/** Whether its calls are being ended, and there is time left for it. */
function isEnding(ports: Ports, { endingSince, lifecycle }: DrainRecord): boolean {
  if (endingSince === undefined || !lifecycle?.endCalls) return false
  return ports.clock.now() - endingSince < lifecycle.endCalls.withinSeconds * 1000
}

/** While something is unknown that would have the instance retained, no call is ended: it would be in vain. */
async function endOn(
  ports: Ports,
  record: DrainRecord,
  { policy, endCalls }: LifecycleTarget,
  found: Found,
): Promise<WorkflowPayload> {
  const ends = endCalls && chooseAtDeadline(policy, found).choice === 'end-calls'
  const stepped = ends ? await endSomeCalls(ports, record, found.onEdges, endCalls) : record
  const empty = found.callsLeft === 0 && found.zeroPending
  return carryOn(ports, stepped, 'observe', empty ? { zeroPending: true } : { shortest: true })
}

/** Whether that is to be said now: it is said once. */
function retainedTooLong(ports: Ports, record: DrainRecord): boolean {
  const group = ports.config.groups.find(({ name }) => name === record.lifecycle?.group)
  const ageMs = ports.clock.now() - (record.retainedAt ?? ports.clock.now())
  return !record.retainedTooLongSaid && group !== undefined && ageMs >= group.retainedMaxAgeSeconds * 1000
}

async function sayRetainedTooLong(
  ports: Ports,
  record: DrainRecord,
  { callsLeft, unknown }: Found,
): Promise<DrainRecord> {
  const ageMs = ports.clock.now() - (record.retainedAt ?? 0)
  ports.metrics.count(metricNames.retainedTooLong, 1)
  await ports.events.publish({
    type: eventTypes.retainedTooLong,
    detail: { ...summary(record), ageMs, callsLeft, unknown },
  })
  return save(ports, record, { retainedTooLongSaid: true })
}

/**
 * What a step does that could not look at all. While there is time it fails and is tried again; past the deadline of a
 * lifecycle action nothing is known of its calls, and the policy decides: else it would wait for a broken edge, or a refused
 * API, until Auto Scaling's own end. That a retained instance is kept for too long is said, whether it can be looked at or not.
 */
export async function blind(ports: Ports, record: DrainRecord, error: unknown): Promise<WorkflowPayload> {
  if (!isLate(ports, record) || error instanceof StoreConflict) throw error
  const reason = error instanceof Error ? error.message : String(error)
  return overdue(ports, record, {
    callsLeft: 0,
    unknown: [reason],
    unconfirmed: false,
    zeroPending: false,
    onEdges: [],
  })
}

/** Whether there is something to decide or to say of a drain that can't look. */
export function isLate(ports: Ports, record: DrainRecord): boolean {
  if (record.retainedAt !== undefined) return retainedTooLong(ports, record)
  return record.lifecycle !== undefined && ports.clock.now() >= record.deadlineAt && !isEnding(ports, record)
}
