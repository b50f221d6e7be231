import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { mayRetain } from '../control/deadline.ts'
import { type DrainRecord, resolvedBy } from '../control/drain-record.ts'
import { type Hold, orderOf } from '../control/hold.ts'
import {
  actionOf,
  actionOver,
  answer,
  end,
  holdOf,
  keptAlive,
  nextOf,
  overtaken,
  retain,
  save,
  summary,
} from './drain-step.ts'
import type { LifecycleActionRef, Ports } from './ports.ts'

/** Each so many failed tries are published. */
const triesToTell = 10

/**
 * Completes the lifecycle action as the record says and turns the hold into the retired mark: the destination stays
 * disabled. After an ABANDON by policy Auto Scaling retains the instance, and its drain goes on; one whose calls are over
 * by then is terminated. "No active Lifecycle Action" is success: somebody, or the clock, was first, and where the clock may have
 * retained the instance its drain goes on.
 * @throws what Auto Scaling answered, so that the workflow tries again after a wait: while the action is kept alive nothing else decides.
 */
export async function completeDrain(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  const { record } = alive
  // Claimed anew while it runs, after its row was lost: nothing of it is known yet.
  if (record.state === 'claimed') return answer(ports, record, 'observe')
  const action = actionOf(record)
  if (!action || !record.completion) return end(ports, record, record.result ?? 'lifted')
  const done = await tryToComplete(ports, record, action, record.completion)
  if (done.outcome === 'look-again') return answer(ports, done.record, 'observe')
  if (done.outcome === 'without-us') return actionOver(ports, done.record)
  if (record.completion === 'ABANDON') {
    const retained = await retain(ports, done.record)
    return answer(ports, retained, nextOf(retained))
  }
  const placed = holdOf(done.record)
  const hold = await ports.store.hold(placed.source, placed.id, placed.subject)
  const resolved = hold ? resolvedBy(done.record, hold) : done.record
  const retired = await save(ports, resolved, { state: 'retired' })
  if (hold) await leaveMark(ports, retired, hold)
  await ports.events.publish({
    type: eventTypes.lifecycleCompleted,
    detail: { ...summary(retired), action, completion: record.completion, outcome: done.outcome },
  })
  return answer(ports, retired, 'retire')
}

/** Turns the hold, where one was placed, into the retired mark. Of what was never listed nothing is left behind. */
async function leaveMark(
  ports: Pick<Ports, 'store' | 'settles' | 'clock'>,
  record: DrainRecord,
  hold: Hold,
): Promise<void> {
  const now = ports.clock.now()
  if (record.result === 'absent') {
    await ports.store.putHold({ ...hold, lifted: { at: now, by: hold.who } })
    // It may have been listed, and disabled, meanwhile.
    await ports.store.raiseWanted()
    await ports.settles.ask({ kind: 'settle' })
    return
  }
  const mark = await ports.store.hold('retired', hold.id, hold.subject)
  // A step that comes again must not bring back a mark that was lifted since it left it.
  if (mark && mark.placedAt >= record.requestedAt) return
  // A launch on the address came first and has ended the hold of the dead machine: the destination is the newcomer's.
  if ((await ports.store.hold(hold.source, hold.id, hold.subject))?.lifted) return
  const why = `drained by ${hold.who}: ${hold.why}`
  await ports.store.retire(hold, { ...hold, source: 'retired', placedAt: now, order: orderOf(now), why })
}

async function tryToComplete(
  ports: Ports,
  record: DrainRecord,
  action: LifecycleActionRef,
  completion: NonNullable<DrainRecord['completion']>,
): Promise<{
  readonly record: DrainRecord
  readonly outcome: 'completed' | 'over' | 'without-us' | 'look-again'
}> {
  // Completed by a step that was killed after it, or over without us.
  if (record.state === 'retired' || record.result === 'action-over') return { record, outcome: 'over' }
  const retains = record.lifecycle !== undefined && mayRetain(record.lifecycle.policy)
  try {
    const outcome =
      completion === 'TERMINATE'
        ? await ports.lifecycleActions.terminate(action.instanceId)
        : await ports.lifecycleActions.complete(action, completion)
    return {
      record,
      outcome: retains && completion === 'CONTINUE' && outcome === 'over' ? 'without-us' : outcome,
    }
  } catch (error) {
    // While it can't be completed, calls may come again (an edge restarts): that they are over is looked at anew.
    const looks = record.result === 'drained' || record.result === 'absent'
    const tried = await save(ports, record, {
      completionTries: record.completionTries + 1,
      ...(looks && { state: 'draining' }),
    })
    if (tried.completionTries % triesToTell === 0) await publishFailure(ports, tried, action, error)
    if (looks) return { record: tried, outcome: 'look-again' }
    throw error
  }
}

async function publishFailure(
  ports: Pick<Ports, 'events' | 'metrics'>,
  record: DrainRecord,
  action: LifecycleActionRef,
  error: unknown,
): Promise<void> {
  ports.metrics.count(metricNames.completionsFailed, 1)
  await ports.events.publish({
    type: eventTypes.lifecycleCompletionFailed,
    detail: {
      ...summary(record),
      action,
      completion: record.completion,
      tries: record.completionTries,
      error: error instanceof Error ? error.message : String(error),
    },
  })
}
