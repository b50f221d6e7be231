import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { chooseAtDeadline, type Left } from '../control/deadline.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { StoreConflict } from '../control/errors.ts'
import { answer, carryOn, save, summary } from './drain-step.ts'
import type { Ports } from './ports.ts'

/** What the policy decides on, and whether a later round can confirm a zero. */
type Found = Left & { readonly zeroPending: boolean }

/** At the deadline calls are left, or unknown: the group's stated policy decides, and it is said. */
export async function overdue(ports: Ports, record: DrainRecord, found: Found): Promise<WorkflowPayload> {
  const { callsLeft, unknown, zeroPending } = found
  if (record.retainedAt !== undefined) {
    const said = retainedTooLong(ports, record) ? await sayRetainedTooLong(ports, record, found) : record
    return carryOn(ports, said, 'observe', zeroPending)
  }
  if (record.overdueSaid && !record.lifecycle) return carryOn(ports, record, 'observe', zeroPending)
  ports.metrics.count(metricNames.drainsPastDeadline, 1)
  if (!record.lifecycle) {
    await ports.events.publish({
      type: eventTypes.drainOverdue,
      detail: { ...summary(record), callsLeft, unknown },
    })
    const said = await save(ports, record, { overdueSaid: true })
    return carryOn(ports, said, 'observe', zeroPending)
  }
  const { choice, because } = chooseAtDeadline(record.lifecycle.policy, found)
  ports.metrics.count(metricNames.deadlineDecisions, 1, { policy: choice })
  await ports.events.publish({
    type: eventTypes.drainOverdue,
    detail: { ...summary(record), policy: choice, because, callsLeft, unknown },
  })
  const completing = await save(ports, record, {
    overdueSaid: true,
    state: 'completing',
    result: choice === 'terminate' ? 'terminated-at-deadline' : 'retained',
    completion: choice === 'terminate' ? 'CONTINUE' : 'ABANDON',
  })
  return answer(ports, completing, 'complete')
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
  const late =
    record.retainedAt !== undefined
      ? retainedTooLong(ports, record)
      : record.lifecycle !== undefined && ports.clock.now() >= record.deadlineAt
  if (!late || error instanceof StoreConflict) throw error
  const reason = error instanceof Error ? error.message : String(error)
  return overdue(ports, record, { callsLeft: 0, unknown: [reason], unconfirmed: false, zeroPending: false })
}
