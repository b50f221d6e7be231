import {
  type Clearance,
  type ClearanceRules,
  type ClearanceView,
  decide,
  takesOne,
  type WaitingDrain,
} from '../../functions/control/clearance.ts'
import { drainingLoads } from '../../functions/control/draining-load.ts'
import { type Hold, holdKey, isByChoice, isResolved } from '../../functions/control/hold.ts'
import { activeHosts, loadInService } from '../../functions/control/load-in-service.ts'
import { instanceDestinations } from '../../functions/control/resolve.ts'
import { onWhat } from './drain-view.ts'
import type { Stored } from './look-around.ts'

/** A list that is older than two of the schedule's minutes does not show what is active. */
const freshMs = 120_000

/**
 * What the control plane would decide now of all that wait, by what is stored: EC2 is asked nothing. A freeze
 * and a window are told apart from it.
 */
export function foreseen(stored: Stored, rules: ClearanceRules): ReadonlyMap<WaitingDrain, Clearance> {
  return decide(stored.waiting, viewOf(stored), rules)
}

function viewOf({ at, edges, holds, drains, instances, readings }: Stored): ClearanceView {
  const there = edges.filter(({ head }) => head.removedAt === undefined)
  const lists = there.flatMap(({ head: { edge, askedAt }, listing }) =>
    listing && at - askedAt <= freshMs ? [{ edge, listed: listing.listed }] : [],
  )
  const active = new Map(
    there.map(({ head, listing }) => [head.edge, activeHosts(listing?.listed ?? [])] as const),
  )
  const loads = readings.edges.map((read) =>
    read.readable ? { ...read.load, active: active.get(read.edge) ?? [] } : undefined,
  )
  return {
    ...{ now: at, freeze: undefined, lists },
    ...covering(
      holds,
      instances,
      lists.flatMap(({ listed }) => listed),
    ),
    machines: instances.length > 0 ? instances : undefined,
    calls: loadInService(loads, drainingLoads(readings.edges, holds)).calls,
    underWay: underWay(holds, drains),
  }
}

/** A lifecycle action's hold knows its instance alone, until settle has filled in what it covers. */
function covering(
  holds: readonly Hold[],
  instances: Stored['instances'],
  listed: Parameters<typeof instanceDestinations>[1],
): Pick<ClearanceView, 'holds' | 'unshown'> {
  const isOpen = (hold: Hold) => hold.source !== 'retired' && !isResolved(hold)
  const factsOf = (hold: Hold) => instances.find(({ instanceId }) => instanceId === onInstance(hold))
  const unshown = holds.find((hold) => isOpen(hold) && !factsOf(hold))
  return {
    ...(unshown && { unshown: onInstance(unshown) }),
    holds: holds.map((hold) => {
      const facts = isOpen(hold) ? factsOf(hold) : undefined
      if (!facts) return hold
      return { ...hold, addresses: facts.addresses, uris: instanceDestinations(facts, listed) }
    }),
  }
}

function onInstance({ subject }: Hold): string {
  return subject.kind === 'instance' ? subject.instanceId : ''
}

/** Drains by choice whose calls are not known to be over, those of one server once. */
function underWay(holds: readonly Hold[], drains: Stored['drains']): number {
  const servers = Map.groupBy(holds, (hold) => onWhat({ subject: hold.subject, uris: [] }))
  const its = [...Map.groupBy(holds.filter(isByChoice), holdKey).values()].flatMap(([hold]) => hold ?? [])
  return its.filter((hold) => {
    const others = servers.get(onWhat({ subject: hold.subject, uris: [] })) ?? []
    if (
      !takesOne(
        hold,
        others.filter((other) => isBefore(other, hold)),
      )
    )
      return false
    const drain = drains.find((each) => holdKey(each.hold) === holdKey(hold))
    if (!drain || drain.phase.name === 'ended') return (drain?.hold.order ?? '') < hold.order
    return drain.phase.name !== 'held'
  }).length
}

function isBefore(one: Hold, other: Hold): boolean {
  return one.placedAt < other.placedAt || (one.placedAt === other.placedAt && holdKey(one) < holdKey(other))
}
