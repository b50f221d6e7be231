import { type EventType, eventTypes, metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { mayRetain } from '../control/deadline.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { ExecutionEnded, RecordMissing, StoreConflict } from '../control/errors.ts'
import type { Hold } from '../control/hold.ts'
import { isGone } from '../control/instance-life.ts'
import { heartbeatDue, nextWait, retryWait } from '../control/pace.ts'
import { stepsPerExecution } from '../control/workflow.ts'
import { instanceById } from './inventory.ts'
import { recordAnew } from './lost-record.ts'
import type { LifecycleActionRef, Ports } from './ports.ts'

/** What the workflow's steps share: the record they work on, its writes, its heartbeat, and their answer. */

type Kept = { readonly record: DrainRecord; readonly over: boolean }

/**
 * The record of this attempt, whose lifecycle action has been kept alive: by what the record says or, where that can't be read or is
 * missing, by what the payload does.
 * @returns undefined as {@link recordOf} does, and where record and action are gone. @throws RecordMissing
 */
export async function keptAlive(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'lifecycleActions' | 'events' | 'metrics'>,
  payload: WorkflowPayload,
): Promise<Kept | undefined> {
  let record: DrainRecord | undefined
  try {
    record = await recordOf(ports, payload)
  } catch (error) {
    const isOver = (await heartbeatOf(ports, payload)) === 'over'
    if (isOver && error instanceof RecordMissing) return undefined
    throw error
  }
  return record && keepAlive(ports, record)
}

async function heartbeatOf(
  { lifecycleActions, metrics }: Pick<Ports, 'lifecycleActions' | 'metrics'>,
  { action }: WorkflowPayload,
): Promise<'recorded' | 'over' | 'failed'> {
  if (!action) return 'recorded'
  try {
    return await lifecycleActions.heartbeat(action)
  } catch {
    // The step fails already, for what it could not read; the alarm on heartbeats tells of this one.
    metrics.count(metricNames.heartbeatsFailed, 1)
    return 'failed'
  }
}

/**
 * @returns the record of this attempt; undefined when a later attempt, or the end, has overtaken this execution. Whoever
 * wrote the later attempt may have been killed before it was started: that is made sure of.
 * @throws RecordMissing
 */
export async function recordOf(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'metrics'>,
  payload: WorkflowPayload,
): Promise<DrainRecord | undefined> {
  const known = await ports.store.drain(payload.drainId)
  // Its action is over, and its mark stays: there is nothing left to do but to watch.
  if (!known && payload.next === 'retire') return undefined
  const record = known ?? (await recordAnew(ports, payload))
  if (record.state === 'ended') return undefined
  if (record.attempt === payload.attempt) return record
  if (record.attempt > payload.attempt) await startAgain(ports, record)
  return undefined
}

async function startAgain(
  ports: Pick<Ports, 'workflows' | 'clock' | 'config'>,
  record: DrainRecord,
): Promise<void> {
  try {
    await ports.workflows.start(answer(ports, record, nextOf(record)))
  } catch (error) {
    // It was started, and failed since: the next delivery of its message starts the attempt after it.
    if (!(error instanceof ExecutionEnded)) throw error
  }
}

/** Where an execution takes a drain up. */
export function nextOf({ state }: DrainRecord): WorkflowPayload['next'] {
  return state === 'retired' ? 'retire' : 'observe'
}

/** Writes the next version. @throws StoreConflict when somebody wrote meanwhile: the step is tried again on what is there. */
export async function save(
  ports: Pick<Ports, 'store'>,
  record: DrainRecord,
  changes: Partial<DrainRecord>,
): Promise<DrainRecord> {
  const next: DrainRecord = { ...record, ...changes, version: record.version + 1 }
  if ((await ports.store.putDrain(next)) === 'conflict')
    throw new StoreConflict(`drain ${record.id} was written by somebody else; this step is tried again`)
  return next
}

export function actionOf(record: DrainRecord): LifecycleActionRef | undefined {
  if (!record.lifecycle) return undefined
  const { group, hook, token, instanceId } = record.lifecycle
  return { group, hook, instanceId, ...(token !== undefined && { token }) }
}

/**
 * The heartbeat comes first in each step, so that it does not depend on Kamailio answering. One that fails is said and
 * does not stop the step: the next step tries again, long before the hook's timeout.
 * @returns `over` when Auto Scaling knows no such action any more.
 */
async function keepAlive(
  ports: Pick<Ports, 'lifecycleActions' | 'clock' | 'events' | 'metrics' | 'store'>,
  record: DrainRecord,
): Promise<Kept> {
  const action = openActionOf(record)
  const due =
    record.lifecycle &&
    heartbeatDue(record.lastHeartbeatAt, ports.clock.now(), record.lifecycle.heartbeatSeconds)
  if (!action || !due) return { record, over: false }
  try {
    if ((await ports.lifecycleActions.heartbeat(action)) === 'over') return { record, over: true }
    return { record: await save(ports, record, { lastHeartbeatAt: ports.clock.now() }), over: false }
  } catch (error) {
    if (error instanceof StoreConflict) throw error
    ports.metrics.count(metricNames.heartbeatsFailed, 1)
    await ports.events.publish({
      type: eventTypes.heartbeatFailed,
      detail: {
        drainId: record.id,
        ...action,
        error: error instanceof Error ? error.message : String(error),
      },
    })
    return { record, over: false }
  }
}

/** The action that has to be kept alive. */
function openActionOf(record: DrainRecord): LifecycleActionRef | undefined {
  const isOver = record.retainedAt !== undefined || record.state === 'retired' || record.state === 'ended'
  return isOver ? undefined : actionOf(record)
}

/** The hold that this drain has, as it was when the record was last written. */
export function holdOf(record: DrainRecord): Hold {
  return {
    source: record.source,
    id: record.holdId,
    subject: record.subject ?? {
      kind: 'instance',
      instanceId: record.instanceId ?? record.id,
      launchedAt: 0,
    },
    uris: record.uris,
    ...(record.formerUris && { formerUris: record.formerUris }),
    addresses: record.addresses,
    wholeInstance: record.wholeInstance,
    ...(record.group !== undefined && { group: record.group }),
    who: record.who,
    why: record.why,
    placedAt: record.requestedAt,
    until: record.deadlineAt,
    order: record.order,
  }
}

/** What hurries the next step, or holds it back: see {@link nextWait}. */
interface Waits {
  readonly zeroPending?: boolean
  readonly shortest?: boolean
  readonly callsUp?: boolean
}

export function answer(
  ports: Pick<Ports, 'clock' | 'config'>,
  record: DrainRecord,
  next: WorkflowPayload['next'],
  waits: Waits = {},
): WorkflowPayload {
  const now = ports.clock.now()
  const action = openActionOf(record)
  const heartbeatSeconds = action && record.lifecycle?.heartbeatSeconds
  const retrySeconds = retryWait(heartbeatSeconds)
  // The one at the beginning of this step failed, or the step took longer than half the interval: the next one comes sooner.
  const isOverdue = heartbeatSeconds && heartbeatDue(record.lastHeartbeatAt, now, heartbeatSeconds)
  const longest = isOverdue ? retrySeconds : heartbeatSeconds
  return {
    drainId: record.id,
    attempt: record.attempt,
    next,
    waitSeconds: nextWait(
      { ageMs: now - record.requestedAt, ...waits, ...(longest && { heartbeatSeconds: longest }) },
      ports.config.timers,
    ),
    retrySeconds,
    ...(action && { action }),
  }
}

/** What an execution answers that has nothing left to do. */
export function overtaken(payload: WorkflowPayload): WorkflowPayload {
  return { ...payload, next: 'ended' }
}

/** Writes a change that is to be told of. It is told first: a step that is killed in between tells it twice, and not never. */
export async function sayAndSave(
  ports: Pick<Ports, 'store' | 'events'>,
  type: EventType,
  record: DrainRecord,
  changes: Partial<DrainRecord>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DrainRecord> {
  await ports.events.publish({ type, detail: { ...summary({ ...record, ...changes }), ...more } })
  return save(ports, record, changes)
}

/** Ends the record and says so. */
export async function end(
  ports: Pick<Ports, 'store' | 'events' | 'clock' | 'config'>,
  record: DrainRecord,
  result: NonNullable<DrainRecord['result']>,
): Promise<WorkflowPayload> {
  const ended = await sayAndSave(ports, eventTypes.drainEnded, record, { state: 'ended', result })
  return answer(ports, ended, 'ended')
}

/** The lifecycle action is over and Auto Scaling keeps the instance: from now on the drain alone decides when it goes. */
export async function retain(
  ports: Pick<Ports, 'store' | 'events' | 'clock'>,
  record: DrainRecord,
): Promise<DrainRecord> {
  return sayAndSave(ports, eventTypes.instanceRetained, record, {
    state: 'draining',
    retainedAt: ports.clock.now(),
  })
}

/**
 * The action ended without us: it expired, or somebody else completed it. Where the hook's default result is ABANDON the
 * instance may have been kept, and its drain goes on; otherwise it is on its way out, and its destinations stay disabled. The
 * result keeps the complete step from completing it: were the answer wrong, that would cut calls.
 */
export async function actionOver(
  ports: Pick<Ports, 'store' | 'events' | 'clock' | 'config' | 'instances' | 'ids'>,
  record: DrainRecord,
): Promise<WorkflowPayload> {
  const { policy, instanceId } = record.lifecycle ?? {}
  const kept =
    policy !== undefined &&
    mayRetain(policy) &&
    instanceId !== undefined &&
    !isGone(await instanceById(ports, instanceId, ports.clock.now()), record.requestedAt, ports.clock.now())
  if (kept) {
    const retained = await retain(ports, record)
    return answer(ports, retained, nextOf(retained))
  }
  const over = { state: 'completing', result: 'action-over', completion: 'CONTINUE' } as const
  return answer(ports, await save(ports, record, over), 'complete')
}

/**
 * Counts the step; after {@link stepsPerExecution} of them the next attempt carries on in an execution of its own, as a
 * long one would run out of history.
 */
export async function carryOn(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config'>,
  record: DrainRecord,
  next: WorkflowPayload['next'],
  waits: Waits = {},
): Promise<WorkflowPayload> {
  if (record.steps < stepsPerExecution) return answer(ports, record, next, waits)
  const following = await save(ports, record, { attempt: record.attempt + 1, steps: 0 })
  await ports.workflows.start(answer(ports, following, next))
  return { ...answer(ports, record, next), next: 'ended' }
}

/** Who, why, what: the part of a record that every event about it shows. */
export function summary(record: DrainRecord): Readonly<Record<string, unknown>> {
  const { id, attempt, source, who, why, instanceId, group, uris, state, result, requestedAt, deadlineAt } =
    record
  const { callsEnded } = record
  return {
    drainId: id,
    attempt,
    source,
    who,
    why,
    instanceId,
    group,
    uris,
    state,
    result,
    requestedAt,
    deadlineAt,
    callsEnded,
  }
}
