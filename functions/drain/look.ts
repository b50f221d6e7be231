import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { type Act, type Advance, advance } from '../control/advance.ts'
import { type CompletingDrain, type Drain, drainId, nextAttempt } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import { lookPayload } from '../control/look-payload.ts'
import type { Wait } from '../control/pace.ts'
import {
  actionRef,
  concluded,
  isCompleting,
  mayBeKept,
  notPlaced,
  refused,
  restsOnCalls,
} from '../control/phases.ts'
import { stepsPerExecution } from '../control/workflow.ts'
import type { Ports } from '../ports/ports.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { concludeEnd, published } from './conclude-end.ts'
import { drainOf, keptAlive } from './keep-alive.ts'
import { saveDrain } from './save-drain.ts'
import { isMachineGone, rulesOf, see } from './see.ts'
import { placeHold } from './start-drain.ts'

type GoOnNeeds = Pick<Ports, 'store' | 'settles' | 'workflows' | 'events' | 'metrics' | 'clock' | 'config'>
type Needs = GoOnNeeds & InventoryNeeds & Pick<Ports, 'lifecycleActions'>

/**
 * One look at a drain: the heartbeat, what is stored, what follows from it; that is saved with its events,
 * then done, then published. An execution that a later attempt, or the drain's end, has overtaken ends.
 */
export async function look(ports: Needs, payload: WorkflowPayload): Promise<WorkflowPayload> {
  try {
    return await lookAt(ports, payload)
  } catch (error) {
    // The settle that this look has asked for may have woken the drain: the next attempt looks, and nothing
    // has failed.
    if (error instanceof StoreConflict && (await drainOf(ports, payload)) === undefined)
      return overtaken(payload)
    throw error
  }
}

function overtaken(payload: WorkflowPayload): WorkflowPayload {
  return { ...payload, next: 'ended' }
}

async function lookAt(ports: Needs, payload: WorkflowPayload): Promise<WorkflowPayload> {
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  const { over } = alive
  const drain = { ...alive.drain, lookedAt: ports.clock.now() }
  if (drain.phase.name === 'ended') return goOn(ports, drain, 'paced')
  // What rests on calls is looked at anew: the execution that was to complete it was killed.
  if (isCompleting(drain) && !restsOnCalls(drain)) return complete(ports, drain)
  // Also where the action is over already: its instance is on its way out and must get no more calls.
  const isNew = drain.phase.name === 'claimed'
  const seen =
    over && !isNew
      ? ({ kind: 'action-over', machineGone: await isMachineGone(ports, drain) } as const)
      : await see(ports, drain)
  const next = advance(drain, seen, ports.clock.now(), rulesOf(ports, drain))
  return carryOut(ports, { ...next, drain: resting(ports, next.drain, next.wait) })
}

async function carryOut(ports: Needs, { drain, act, wait }: Advance): Promise<WorkflowPayload> {
  const saved = await saveDrain(ports, { ...drain, steps: drain.steps + 1 })
  let next = saved
  try {
    if (act) next = await perform(ports, saved, act)
  } catch (error) {
    // The next look would save its own events with these.
    await published(ports, saved)
    throw error
  }
  return isCompleting(next) ? complete(ports, next) : goOn(ports, next, wait)
}

/**
 * The drain with when its next look comes about: for people, and nothing is decided by it. `failed`: the
 * workflow waits as after any look that fails, once it has tried twice more.
 */
function resting<D extends Drain>(
  { clock, config }: Pick<Ports, 'clock' | 'config'>,
  drain: D,
  wait: Wait | 'failed',
): D {
  const now = clock.now()
  const isFailed = wait === 'failed'
  const { waitSeconds, retrySeconds } = lookPayload(drain, isFailed ? 'paced' : wait, now, config.timers)
  return { ...drain, nextLookAt: now + (isFailed ? retrySeconds : waitSeconds) * 1000 }
}

async function perform(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'metrics'>,
  drain: Drain,
  act: Act,
): Promise<Drain> {
  switch (act.kind) {
    case 'place-hold':
      // A later request has decided about an alarm's or operator's hold: there is nothing to place.
      if (!(await placeHold(ports, drain)) && !drain.action) return saveDrain(ports, notPlaced(drain))
      await ports.settles.ask({ kind: 'settle' })
      return drain
    case 'end-calls': {
      const { step, shares } = act
      // Whoever has an edge, and lets it rest, gives it up.
      await ports.store.raiseWanted()
      await ports.settles.ask({ kind: 'settle', endCalls: { hold: drainId(drain), step, shares } })
      return drain
    }
    default:
      return act satisfies never
  }
}

/**
 * Completes the lifecycle action as the drain has it. After an ABANDON by policy Auto Scaling retains the
 * instance, and its drain goes on; one whose calls are over by then is terminated. "No active Lifecycle
 * Action" is success: somebody, or the clock, was first, and where the clock may have retained the instance
 * its drain goes on.
 * @throws what Auto Scaling answered, so that the workflow tries again after a wait: while the action is kept
 * alive nothing else decides.
 */
async function complete(ports: Needs, drain: CompletingDrain): Promise<WorkflowPayload> {
  const { action, phase } = drain
  const { completion } = phase
  let outcome: 'completed' | 'over'
  try {
    outcome =
      completion === 'TERMINATE'
        ? await ports.lifecycleActions.terminate(action.instanceId)
        : await ports.lifecycleActions.complete(actionRef(action), completion)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const tried = refused(drain, reason)
    const saved = await saveDrain(ports, resting(ports, tried, isCompleting(tried) ? 'failed' : 'paced'))
    if (!isCompleting(saved)) return goOn(ports, saved, 'paced')
    await published(ports, saved)
    throw error
  }
  const machineGone = mayBeKept(drain, outcome) && (await isMachineGone(ports, drain))
  const after = concluded(drain, outcome, machineGone, ports.clock.now())
  return goOn(ports, await saveDrain(ports, resting(ports, after, 'paced')), 'paced')
}

/**
 * Publishes, leaves the mark of what has ended, and carries on in an execution of its own where this one
 * would run out of history.
 */
async function goOn(ports: GoOnNeeds, drain: Drain, wait: Wait): Promise<WorkflowPayload> {
  const { workflows, clock, config } = ports
  const after = await concludeEnd(ports, drain)
  const payload = lookPayload(after, wait, clock.now(), config.timers)
  if (payload.next === 'ended' || after.steps < stepsPerExecution) return payload
  const following = await saveDrain(ports, nextAttempt(after))
  await workflows.start(lookPayload(following, wait, clock.now(), config.timers))
  return { ...payload, next: 'ended' }
}
