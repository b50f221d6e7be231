import type { CommandOutcome } from '../contracts/events.ts'
import { activateOn, callsThere, drainOn } from '../control/edge-plan.ts'
import { CommandRefused, DispatcherControlError } from '../control/errors.ts'
import { type Hold, holdKey, type ListedName, named } from '../control/hold.ts'
import { lookup } from '../control/listing.ts'
import { wantedOf } from '../control/wanted.ts'
import type { Ports } from '../ports/ports.ts'
import { edgeViews, type StoredEdge } from '../stored/edge-views.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { readBackWith } from '../stored/read-back.ts'
import { foreseeClearance } from './ask-clearance.ts'
import { wouldReplace } from './clear-drains.ts'
import { askedFor, type DrainOrder, neverBegins } from './hold-and-drain.ts'
import { duplicatesIn, type Target } from './target.ts'

type DryRun<C extends 'drain' | 'activate'> = Extract<CommandOutcome<C>, { readonly result: 'dry-run' }>
type PlanNeeds = Pick<Ports, 'store' | 'config' | 'clock'>

/**
 * Has every edge read for a dry run, with the calls of what its drain would hold. Where that can't be found
 * yet, such as on an edge that could not be read, the reading may show it.
 */
export async function readWithStakes(
  ports: PlanNeeds & Pick<Ports, 'settles'>,
  foundNow: () => Promise<readonly Hold[]>,
): Promise<void> {
  let atStake: readonly Hold[] = []
  try {
    atStake = await foundNow()
  } catch (error) {
    if (!(error instanceof DispatcherControlError) || error.permanent) throw error
  }
  await readBackWith(ports, atStake)
}

/**
 * What a drain would do, by the same code that clearance and settle decide with. It writes nothing.
 * @throws what the drain would be refused with
 */
export async function planDrain(
  ports: InventoryNeeds,
  target: Target,
  drain: DrainOrder,
): Promise<DryRun<'drain'>> {
  duplicatesIn(target.readouts)(target)
  const asked = askedFor(target, drain)
  const { hold } = asked
  const clearance = (await foreseeClearance(ports, [asked])).get(holdKey(hold)) ?? { clear: true }
  if (!clearance.clear && clearance.never) throw new CommandRefused(neverBegins(clearance.because))
  return {
    ...{ result: 'dry-run', destinations: target.uris, hold: holdKey(hold) },
    replaces: await wouldReplace(ports, hold),
    clearance: clearance.clear ? { begins: true } : { begins: false, because: clearance.because },
    ...(await planHolds(ports, [{ hold }])),
  }
}

/** What these holds would do on each edge, and who else holds what they are for. */
export async function planHolds(
  ports: PlanNeeds,
  wanted: readonly { readonly hold: Hold }[],
): Promise<Pick<DryRun<'drain'>, 'heldBy' | 'edges'>> {
  const holds = await ports.store.holds()
  const edges = await edgeViews(ports)
  const asked = wanted.map(({ hold }) => hold)
  const keys = new Set(asked.map(holdKey))
  const others = holds.filter((each) => !keys.has(holdKey(each)))
  return {
    heldBy: others.filter(isOn(asked, edges)).map(named),
    edges: edges.map((stored) => {
      if ('unreadable' in stored) return stored
      const { edge, reading, view } = stored
      return { edge, calls: callsThere(reading, holds, asked), plan: drainOn(view, holds, asked) }
    }),
  }
}

/** @returns whether a hold is on the same machine, or on an entry that these are on */
function isOn(asked: readonly Hold[], edges: readonly StoredEdge[]): (hold: Hold) => boolean {
  const machines = new Set(asked.flatMap((hold) => machineOf(hold) ?? []))
  const covered = edges.flatMap((stored) =>
    'view' in stored ? [...wantedOf(asked, stored.view.list).held.keys()] : [],
  )
  const named = asked.flatMap(({ uris }) => uris.map((uri) => ({ uri })))
  const find = lookup<ListedName>([...covered, ...named])
  return (hold) => machines.has(machineOf(hold) ?? '') || find(hold).length > 0
}

function machineOf({ subject, wholeInstance }: Hold): string | undefined {
  return subject.kind === 'instance' && wholeInstance ? subject.instanceId : undefined
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
  ports: PlanNeeds,
  targets: readonly Target[],
  { holds, lifted, isIts }: Lifting,
): Promise<Pick<DryRun<'activate'>, 'wouldDrop' | 'edges'>> {
  const { drains } = await ports.store.waiting()
  const edges = await edgeViews(ports)
  return {
    wouldDrop: drains.flatMap(({ hold }) => (isIts(hold) ? named(hold) : [])),
    edges: edges.map((stored) => {
      if ('unreadable' in stored) return stored
      return { edge: stored.edge, plan: activateOn(stored.view, holds, lifted, targets) }
    }),
  }
}
