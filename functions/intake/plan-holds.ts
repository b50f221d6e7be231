import type { CommandAnswer } from '../contracts/events.ts'
import { activateOn, callsThere, drainOn } from '../control/edge-plan.ts'
import { type Hold, holdKey, named } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'
import { edgeViews } from '../stored/edge-views.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { foreseeClearance } from './ask-clearance.ts'
import { askedFor, type DrainOrder, neverBegins, refuseUnshown } from './hold-and-drain.ts'
import { refuseDuplicates, speaksOf, type Target } from './target.ts'

type Answer<C extends 'drain' | 'activate'> = Extract<CommandAnswer<C>, { readonly result: 'dry-run' }>

/**
 * What a drain would do, by the same code that clearance and settle decide with. It writes nothing.
 * @throws what the drain would be refused with
 */
export async function planDrain(
  ports: InventoryNeeds,
  target: Target,
  drain: DrainOrder,
): Promise<Answer<'drain'>> {
  refuseDuplicates(target)
  const asked = askedFor(target, drain)
  const { hold } = asked
  refuseUnshown(ports, hold)
  const clearance = await foreseeClearance(ports, asked)
  if (!clearance.clear && clearance.never) throw neverBegins(clearance.because)
  const holds = await ports.store.holds()
  const edges = await edgeViews(ports)
  return {
    ...{ result: 'dry-run', destinations: target.uris, hold: holdKey(hold) },
    clearance: clearance.clear ? { begins: true } : { begins: false, because: clearance.because },
    heldBy: holds.filter((each) => holdKey(each) !== holdKey(hold) && speaksOf(target, each)).map(named),
    edges: edges.map((stored) => {
      if ('unreadable' in stored) return stored
      const { edge, reading, view } = stored
      return { edge, calls: callsThere(reading, holds, hold), plan: drainOn(view, holds, hold) }
    }),
  }
}

interface Lifting {
  /** in force */
  readonly holds: readonly Hold[]
  readonly lifted: readonly Hold[]
  /** whether it is meant, of what waits too */
  readonly isIts: (hold: Hold) => boolean
}

/** What an activate would drop of what waits, and do on the edges. It writes nothing. */
export async function planActivate(
  ports: Pick<Ports, 'store' | 'config' | 'clock'>,
  target: Target,
  { holds, lifted, isIts }: Lifting,
): Promise<Pick<Answer<'activate'>, 'wouldDrop' | 'edges'>> {
  const { drains } = await ports.store.waiting()
  const edges = await edgeViews(ports)
  return {
    wouldDrop: drains.flatMap(({ hold }) => (isIts(hold) ? named(hold) : [])),
    edges: edges.map((stored) => {
      if ('unreadable' in stored) return stored
      return { edge: stored.edge, plan: activateOn(stored.view, holds, lifted, target) }
    }),
  }
}
