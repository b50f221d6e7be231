import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { StoreConflict } from '../control/errors.ts'
import type { Judgement } from '../control/verdict.ts'
import { answer, carryOn, save, summary } from './drain-step.ts'
import type { Ports } from './ports.ts'

type Left = Pick<Judgement, 'callsLeft' | 'unknown' | 'zeroPending'>

/** At the deadline calls are left, or unknown: the group's stated policy decides, and it is said. */
export async function overdue(ports: Ports, record: DrainRecord, judgement: Left): Promise<WorkflowPayload> {
  if (record.retainedAt !== undefined) return sayRetainedTooLong(ports, record, judgement)
  if (record.overdueSaid && !record.lifecycle) return carryOn(ports, record, 'observe', judgement.zeroPending)
  const policy = record.lifecycle?.policy
  ports.metrics.count(metricNames.drainsPastDeadline, 1)
  await ports.events.publish({
    type: eventTypes.drainOverdue,
    detail: { ...summary(record), policy, callsLeft: judgement.callsLeft, unknown: judgement.unknown },
  })
  if (policy === undefined) {
    const said = await save(ports, record, { overdueSaid: true })
    return carryOn(ports, said, 'observe', judgement.zeroPending)
  }
  const completing = await save(ports, record, {
    overdueSaid: true,
    state: 'completing',
    result: policy === 'terminate' ? 'terminated-at-deadline' : 'retained',
    completion: policy === 'terminate' ? 'CONTINUE' : 'ABANDON',
  })
  return answer(ports, completing, 'complete')
}

async function sayRetainedTooLong(
  ports: Ports,
  record: DrainRecord,
  judgement: Left,
): Promise<WorkflowPayload> {
  const group = ports.config.groups.find(({ name }) => name === record.lifecycle?.group)
  const ageMs = ports.clock.now() - (record.retainedAt ?? 0)
  if (record.retainedTooLongSaid || !group || ageMs < group.retainedMaxAgeSeconds * 1000)
    return carryOn(ports, record, 'observe', judgement.zeroPending)
  ports.metrics.count(metricNames.retainedTooLong, 1)
  await ports.events.publish({
    type: eventTypes.retainedTooLong,
    detail: { ...summary(record), ageMs, callsLeft: judgement.callsLeft, unknown: judgement.unknown },
  })
  const said = await save(ports, record, { retainedTooLongSaid: true })
  return carryOn(ports, said, 'observe', judgement.zeroPending)
}

/**
 * What a step does that could not look at all. While there is time it fails and is tried again; past the deadline of a
 * lifecycle action nothing is known of its calls, and the policy decides: else it would wait for a broken edge, or a refused
 * API, until Auto Scaling's own end.
 */
export async function blind(ports: Ports, record: DrainRecord, error: unknown): Promise<WorkflowPayload> {
  const late =
    record.lifecycle !== undefined &&
    record.retainedAt === undefined &&
    ports.clock.now() >= record.deadlineAt
  if (!late || error instanceof StoreConflict) throw error
  const reason = error instanceof Error ? error.message : String(error)
  return overdue(ports, record, { callsLeft: 0, unknown: [reason], zeroPending: false })
}
