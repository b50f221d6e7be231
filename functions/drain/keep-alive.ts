import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { type Drain, drainId } from '../control/drain.ts'
import { ExecutionEnded, RecordMissing } from '../control/errors.ts'
import { lookPayload } from '../control/look-payload.ts'
import { heartbeatDue } from '../control/pace.ts'
import { actionRef, openAction } from '../control/phases.ts'
import type { Ports } from '../ports/ports.ts'
import { drainAnew } from './lost-record.ts'
import { saveDrain } from './save-drain.ts'

type RecordNeeds = Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'metrics'>
type HeartbeatNeeds = Pick<Ports, 'lifecycleActions' | 'clock' | 'events' | 'metrics'>

type Kept = { readonly drain: Drain; readonly over: boolean }

/**
 * The drain of this attempt, whose lifecycle action has been kept alive: by its record or, where
 * that can't be read or is missing, by what the payload does. The heartbeat comes first in each look, so that
 * it does not depend on Kamailio answering.
 * @returns undefined as {@link drainOf} does, and where record and action are gone. @throws RecordMissing
 */
export async function keptAlive(
  ports: RecordNeeds & HeartbeatNeeds,
  payload: WorkflowPayload,
): Promise<Kept | undefined> {
  let drain: Drain | undefined
  try {
    drain = await drainOf(ports, payload)
  } catch (error) {
    const isOver = (await heartbeatOf(ports, payload)) === 'over'
    if (isOver && error instanceof RecordMissing) return undefined
    throw error
  }
  return drain && keepAlive(ports, drain)
}

async function heartbeatOf(
  { lifecycleActions, metrics }: Pick<Ports, 'lifecycleActions' | 'metrics'>,
  { action }: WorkflowPayload,
): Promise<'recorded' | 'over' | 'failed'> {
  if (!action) return 'recorded'
  try {
    return await lifecycleActions.heartbeat(action)
  } catch {
    // The look fails already, for what it could not read; the alarm on heartbeats shows this one.
    metrics.count(metricNames.heartbeatsFailed, 1)
    return 'failed'
  }
}

/**
 * @returns the drain of this attempt; undefined when a later attempt, or the end, has overtaken this
 * execution. Whoever wrote the later attempt may have been killed before it was started: that is made sure
 * of.
 * @throws RecordMissing
 */
export async function drainOf(ports: RecordNeeds, payload: WorkflowPayload): Promise<Drain | undefined> {
  const drain = (await ports.store.drain(payload.drainId)) ?? (await drainAnew(ports, payload))
  if (drain.attempt === payload.attempt) return drain
  if (drain.phase.name === 'ended') return undefined
  // Its row was lost, or is an older one that was restored, and a former attempt has looked since.
  if (drain.attempt < payload.attempt) return saveDrain(ports, { ...drain, attempt: payload.attempt })
  await startAgain(ports, drain)
  return undefined
}

async function startAgain(
  { workflows, clock, config }: Pick<Ports, 'workflows' | 'clock' | 'config'>,
  drain: Drain,
): Promise<void> {
  try {
    await workflows.start(lookPayload(drain, 'paced', clock.now(), config.timers))
  } catch (error) {
    // It was started, and failed since: the next delivery of its message starts the attempt after it.
    if (!(error instanceof ExecutionEnded)) throw error
  }
}

/**
 * A heartbeat that fails is published and does not stop the look: the next one tries again, long before the
 * hook's timeout.
 */
async function keepAlive(
  { lifecycleActions, clock, events, metrics }: HeartbeatNeeds,
  drain: Drain,
): Promise<Kept> {
  const open = openAction(drain)
  if (!drain.action || !open || !heartbeatDue(drain.lastHeartbeatAt, clock.now(), open.heartbeatSeconds))
    return { drain, over: false }
  const action = actionRef(open)
  try {
    if ((await lifecycleActions.heartbeat(action)) === 'over') return { drain, over: true }
    return { drain: { ...drain, lastHeartbeatAt: clock.now() }, over: false }
  } catch (error) {
    metrics.count(metricNames.heartbeatsFailed, 1)
    const reason = error instanceof Error ? error.message : String(error)
    await events.publish({
      type: eventTypes.heartbeatFailed,
      detail: { drainId: drainId(drain), ...action, error: reason },
    })
    return { drain, over: false }
  }
}
