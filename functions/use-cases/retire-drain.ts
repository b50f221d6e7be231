import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { isGone } from '../control/instance-life.ts'
import { carryOn, end, holdOf, overtaken, recordOf, save } from './drain-step.ts'
import { instanceById } from './inventory.ts'
import type { Ports } from './ports.ts'

/** What the inventory showed within the last minute will do: the minute's settle reads it. */
const isSoonEnoughMs = 60_000

/**
 * Watches a destination whose lifecycle action is over until the instance is terminated: it stays disabled. The retired mark itself outlives this: only a launch, or its leaving the list, ends it.
 */
export async function retireDrain(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'metrics' | 'events' | 'instances' | 'ids'>,
  payload: WorkflowPayload,
): Promise<WorkflowPayload> {
  const record = await recordOf(ports, payload)
  if (!record) return overtaken(payload)
  const result = record.result ?? 'drained'
  const hold = holdOf(record)
  if (record.terminatedAt !== undefined) return end(ports, record, result)
  if (hold.subject.kind === 'instance') {
    const { instanceId } = hold.subject
    const now = ports.clock.now()
    const facts = await instanceById(ports, instanceId, now - isSoonEnoughMs)
    if (isGone(facts, record.requestedAt, now)) return end(ports, record, result)
  }
  const mark = await ports.store.hold('retired', hold.id, hold.subject)
  if (!mark || mark.lifted) return end(ports, record, result)
  const watched = await save(ports, record, { steps: record.steps + 1 })
  return carryOn(ports, watched, 'retire')
}
