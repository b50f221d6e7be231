import { claim, type DrainRequest } from '../control/claim.ts'
import { type Drain, drainId, nextAttempt } from '../control/drain.ts'
import { ExecutionEnded, StoreConflict } from '../control/errors.ts'
import { type Hold, holdKey, isByChoice } from '../control/hold.ts'
import { lookPayload } from '../control/look-payload.ts'
import type { Ports } from '../ports/ports.ts'
import { saveDrain } from './save-drain.ts'

export type StartNeeds = Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'settles' | 'metrics'>

/**
 * Claims a drain, places a lifecycle action's hold, and starts its workflow. The claim is a conditional
 * write, so that an event that comes twice, late or out of order starts one execution; a claim whose start
 * was lost is finished by the next delivery.
 */
export async function startDrain(
  ports: StartNeeds,
  request: DrainRequest,
): Promise<'started' | 'duplicate' | 'stale'> {
  // Each try but the last lost a race against one other writer; five in a row is trouble worth a redelivery.
  for (let tries = 0; tries < 5; tries++) {
    const decision = claim(await ports.store.drain(drainId(request)), request)
    if (decision.kind === 'stale') return 'stale'
    const { drain } = decision
    if (decision.kind !== 'duplicate' && (await putClaim(ports, drain)) === 'conflict') {
      if (drain.action || (await isInForce(ports, drain))) continue
      return 'stale'
    }
    if (drain.phase.name === 'ended') return 'duplicate'
    const isPlaced = drain.action && drain.phase.name === 'claimed' && (await placeHold(ports, drain))
    const anew = await makeSureItRuns(ports, drain)
    // A drain whose settle could not be asked for runs, and keeps its action alive.
    if (isPlaced) await ports.settles.ask({ kind: 'settle' })
    return anew || decision.kind !== 'duplicate' ? 'started' : 'duplicate'
  }
  throw new StoreConflict(`drain ${drainId(request)} is being claimed by others; the message comes again`)
}

/** An action's places its hold itself; others begin under one that is in force. */
export function putClaim({ store }: Pick<Ports, 'store'>, drain: Drain): Promise<'written' | 'conflict'> {
  return drain.action || drain.phase.name !== 'claimed' ? store.putDrain(drain) : store.beginDrain(drain)
}

async function isInForce({ store }: Pick<Ports, 'store'>, { hold }: Drain): Promise<boolean> {
  const known = await store.hold(hold.source, hold.id, hold.subject)
  return known !== undefined && !known.lifted && known.order === hold.order
}

/** Of a hold by choice that is placed. */
export async function startDrainOf(
  ports: StartNeeds,
  hold: Hold,
): Promise<'started' | 'duplicate' | 'stale'> {
  if (!isByChoice(hold)) return 'stale'
  const { shownAt: _, lifted: _lifted, replaces: _replaces, until = hold.placedAt, ...rest } = hold
  return startDrain(ports, { hold: { ...rest, until } })
}

/**
 * Places the hold of a drain that was claimed; settle finds out what it covers. What was lifted, or placed
 * anew, since is left so.
 * @returns whether it is there, so that a settle is due
 */
export async function placeHold({ store }: Pick<Ports, 'store'>, { hold }: Drain): Promise<boolean> {
  const known = await store.hold(hold.source, hold.id, hold.subject)
  const isKnown = known !== undefined && known.order >= hold.order
  if (!isKnown && (await store.putHold(hold)) === 'stale') return false
  await store.raiseWanted()
  return true
}

/**
 * What an earlier delivery of a message has claimed and could not start is started, before what it names is
 * looked for: it may have left the lists since. @param order the message's
 * @returns the holds that it has placed
 */
export async function finishOwnClaims(ports: StartNeeds, order: string): Promise<Hold[]> {
  const placed = (await ports.store.holds()).filter(
    (hold) => hold.order === order && hold.source !== 'retired',
  )
  for (const hold of placed) await finishClaim(ports, holdKey(hold))
  return placed
}

/** A drain that was claimed and could not be started is started. */
export async function finishClaim(ports: StartNeeds, id: string): Promise<void> {
  const drain = await ports.store.drain(id)
  if (drain?.phase.name === 'claimed') await makeSureItRuns(ports, drain)
}

/**
 * Of a drain that has not ended. @returns whether its last execution had, and another attempt was begun
 * @throws StoreConflict where somebody wrote it meanwhile
 */
export async function makeSureItRuns(ports: StartNeeds, drain: Drain): Promise<boolean> {
  try {
    if ((await startLooks(ports, drain)) === 'runs') return false
  } catch (error) {
    if (!(error instanceof ExecutionEnded)) throw error
  }
  await lookAnew(ports, drain)
  return true
}

/** Begins its next attempt. @throws StoreConflict */
export async function lookAnew(ports: StartNeeds, drain: Drain): Promise<void> {
  const next = { ...nextAttempt(drain), lookedAt: ports.clock.now() }
  await startLooks(ports, await saveDrain(ports, next))
}

function startLooks({ workflows, clock, config }: StartNeeds, drain: Drain): Promise<'runs' | 'over'> {
  return workflows.start(lookPayload(drain, 'paced', clock.now(), config.timers))
}
