import { claim, type DrainRequest } from '../control/claim.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { ExecutionEnded, StoreConflict } from '../control/errors.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { answer, holdOf, nextOf, save } from './drain-step.ts'
import type { Ports } from './ports.ts'

type Needs = Pick<Ports, 'store' | 'workflows' | 'clock' | 'config' | 'settles'>

/**
 * Claims a drain, places a lifecycle action's hold, and starts its workflow. The claim is a conditional write, so that an event that comes twice, late or out
 * of order starts one execution; a claim whose start was lost is finished by the next delivery.
 */
export async function startDrain(
  ports: Needs,
  request: DrainRequest,
): Promise<'started' | 'duplicate' | 'stale'> {
  // Each turn but the last lost a race against one other writer; five in a row is trouble worth a redelivery.
  for (let turn = 0; turn < 5; turn++) {
    const decision = claim(await ports.store.drain(request.id), request)
    if (decision.kind === 'stale') return 'stale'
    if (decision.kind !== 'duplicate' && (await ports.store.putDrain(decision.record)) === 'conflict')
      continue
    const { record } = decision
    if (record.state === 'ended') return 'duplicate'
    const isPlaced = record.lifecycle && record.state === 'claimed' && (await placeHold(ports, record))
    const anew = await makeSureItRuns(ports, record)
    // A drain whose settle could not be asked for runs, and keeps its action alive.
    if (isPlaced) await ports.settles.ask({ kind: 'settle' })
    return anew || decision.kind !== 'duplicate' ? 'started' : 'duplicate'
  }
  throw new StoreConflict(`drain ${request.id} is being claimed by others; the message comes again`)
}

/**
 * Places the hold of a drain that was claimed; settle finds out what it covers. What was lifted, or placed anew, since is left so.
 * @returns whether it is there, so that a settle is due
 */
export async function placeHold({ store }: Pick<Ports, 'store'>, record: DrainRecord): Promise<boolean> {
  const hold = holdOf(record)
  const known = await store.hold(hold.source, hold.id, hold.subject)
  const isKnown = known !== undefined && known.order >= hold.order
  if (!isKnown && (await store.putHold(hold)) === 'stale') return false
  await store.raiseWanted()
  return true
}

/**
 * What an earlier delivery of a message has claimed and could not start is started, before what it names is looked for: it may have left
 * the lists since. @param order the message's
 * @returns the holds that it has placed
 */
export async function finishOwnClaims(ports: Needs, order: string): Promise<Hold[]> {
  const placed = (await ports.store.holds()).filter(
    (hold) => hold.order === order && hold.source !== 'retired',
  )
  for (const hold of placed) await finishClaim(ports, holdKey(hold))
  return placed
}

/** A drain that was claimed and could not be started is started. */
export async function finishClaim(ports: Needs, drainId: string): Promise<void> {
  const record = await ports.store.drain(drainId)
  if (record?.state === 'claimed') await makeSureItRuns(ports, record)
}

/** @returns whether its last execution had ended, and another attempt was begun */
async function makeSureItRuns(ports: Needs, record: DrainRecord): Promise<boolean> {
  const next = nextOf(record)
  try {
    await ports.workflows.start(answer(ports, record, next))
    return false
  } catch (error) {
    if (!(error instanceof ExecutionEnded)) throw error
    const again = await save(ports, record, { attempt: record.attempt + 1, steps: 0 })
    await ports.workflows.start(answer(ports, again, next))
    return true
  }
}
