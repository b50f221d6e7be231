import { type Hold, holdKey, isSameSubject } from '../control/hold.ts'
import { finishClaim, startDrain } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import type { EdgeResult } from '../stored/edge-results.ts'
import { changeReadBack } from '../stored/read-back.ts'
import { lift } from './lift.ts'
import { refuseDuplicates, type Target } from './target.ts'

/** Who asks for a drain, why, until when, and under which hold. */
export interface DrainOrder {
  readonly source: 'alarm' | 'operator'
  readonly holdId: string
  readonly who: string
  readonly why: string
  readonly order: string
  readonly requestedAt: number
  readonly deadlineAt: number
}

/**
 * Places an alarm's or operator's hold, asks for a settle and starts the drain that sees it through. The hold
 * comes first: once it is stored, nothing is lost by an edge or a function that is away.
 * @returns what came of it on each edge within a short while; `stale` when something later was requested
 * about this hold already.
 * @throws DuplicateDestination an operator's
 */
export async function holdAndDrain(ports: Ports, target: Target, drain: DrainOrder): Promise<Held> {
  // An operator can mend the list and ask again; an alarm's server is held wherever it can be, and what is
  // refused is told.
  if (drain.source === 'operator') refuseDuplicates(target)
  const { readouts: _, ...scope } = target
  const { source, holdId, who, why, order, requestedAt, deadlineAt } = drain
  const hold = { ...scope, source, id: holdId, who, why, order, placedAt: requestedAt, until: deadlineAt }
  if ((await ports.store.putHold(hold)) === 'stale') {
    await finishClaim(ports, holdKey(hold))
    return { result: 'stale', edges: [] }
  }
  const wanted = await ports.store.raiseWanted()
  const result = await startDrain(ports, { hold })
  // What this request meant before is another machine's, or another URI's, and readings count calls under the
  // hold's name.
  const former = (await ports.store.holds()).filter(
    (each) => holdKey(each) === holdKey(hold) && !isSameSubject(each.subject, hold.subject),
  )
  if (former.length > 0) await lift(ports, former, drain.who, drain.order)
  const resultOn = await changeReadBack(ports, wanted)
  return { result, edges: await resultOn(hold), placed: { hold, wanted } }
}

export interface Held {
  readonly result: 'started' | 'duplicate' | 'stale'
  readonly edges: readonly EdgeResult[]
  /** the hold, and a value of the counter that knows it */
  readonly placed?: { readonly hold: Hold; readonly wanted: number }
}
