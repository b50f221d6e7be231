import { type ClearanceView, takesOne } from './clearance.ts'
import type { ListedDestination } from './destination.ts'
import type { Drain } from './drain.ts'
import { type Hold, holdKey, isByChoice, isResolved } from './hold.ts'
import { type InstanceFacts, isUnshownYet } from './instance-life.ts'
import { instanceDestinations } from './resolve.ts'

/** A list that is older than two of the schedule's minutes does not show what is active. */
const freshMs = 120_000

/** What one edge lists, and when it was asked (epoch ms). */
interface ReadList {
  readonly edge: string
  readonly listed: readonly ListedDestination[]
  readonly askedAt: number
}

/** @returns the lists that show what is active now */
export function freshLists(lists: readonly ReadList[], now: number): ClearanceView['lists'] {
  return lists.filter(({ askedAt }) => now - askedAt <= freshMs)
}

interface OnInstance {
  readonly hold: Hold
  readonly id: string
}

/**
 * The hold of a lifecycle action is placed by the instance's id, before anything is asked, and settle fills
 * in what it covers: until then its server would count as one that nobody takes.
 */
export function unresolved(holds: readonly Hold[]): OnInstance[] {
  return holds.flatMap((hold) =>
    hold.subject.kind === 'instance' && hold.source !== 'retired' && !isResolved(hold)
      ? [{ hold, id: hold.subject.instanceId }]
      : [],
  )
}

/**
 * @param shown what EC2 shows of what is {@link unresolved}, by instance id
 * @returns the holds with that, and an instance of which nobody knows yet what it has
 */
export function covering(
  holds: readonly Hold[],
  shown: ReadonlyMap<string, InstanceFacts>,
  listed: readonly ListedDestination[],
  now: number,
): Pick<ClearanceView, 'unshown'> & { readonly holds: readonly Hold[] } {
  const open = unresolved(holds)
  const unshown = open.find(({ hold, id }) => isUnshownYet(shown.get(id), hold.placedAt, now))
  const factsOf = new Map(open.map(({ hold, id }) => [hold, shown.get(id)]))
  return {
    ...(unshown && { unshown: unshown.id }),
    holds: holds.map((hold) => {
      const facts = factsOf.get(hold)
      if (!facts) return hold
      return { ...hold, addresses: facts.addresses, uris: instanceDestinations(facts, listed) }
    }),
  }
}

/** @returns the holds of drains by choice that take a server, those of one server once */
export function takenByChoice(holds: readonly Hold[]): Hold[] {
  const onServer = Map.groupBy(holds, nameOf)
  const its = [...Map.groupBy(holds.filter(isByChoice), holdKey).values()].flatMap(([hold]) => hold ?? [])
  return its.filter((hold) => {
    const others = onServer.get(nameOf(hold)) ?? []
    return takesOne(
      hold,
      others.filter((other) => isBefore(other, hold)),
    )
  })
}

/** Whether the calls of its drain are not known to be over. One that is placed may not have begun yet. */
export function isUnderWay(hold: Hold, drain: Drain | undefined): boolean {
  if (!drain || drain.phase.name === 'ended') return (drain?.hold.order ?? '') < hold.order
  return drain.phase.name !== 'held'
}

function nameOf({ subject }: Hold): string {
  return subject.kind === 'uri' ? subject.uri : subject.instanceId
}

function isBefore(one: Hold, other: Hold): boolean {
  return one.placedAt < other.placedAt || (one.placedAt === other.placedAt && holdKey(one) < holdKey(other))
}
