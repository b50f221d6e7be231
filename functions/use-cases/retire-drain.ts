import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { carryOn, end, holdOf, overtaken, recordOf, save } from './drain-step.ts'
import type { Ports } from './ports.ts'

/**
 * Watches a destination whose lifecycle action is over until the instance is terminated: it stays disabled. The retired mark itself outlives this: only a launch, or its leaving the list, ends it.
 */
export async function retireDrain(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'metrics' | 'events' | 'instances'>,
  payload: WorkflowPayload,
): Promise<WorkflowPayload> {
  const record = await recordOf(ports, payload)
  if (!record) return overtaken(payload)
  const result = record.result ?? 'drained'
  const hold = holdOf(record)
  if (record.terminatedAt !== undefined) return end(ports, record, result)
  if (hold.subject.kind === 'instance' && (await ports.instances.gone([hold.subject.instanceId])).length > 0)
    return end(ports, record, result)
  const mark = await ports.store.hold('retired', hold.id, hold.subject)
  if (!mark || mark.lifted) return end(ports, record, result)
  const watched = await save(ports, record, { steps: record.steps + 1 })
  return carryOn(ports, watched, 'retire')
}
