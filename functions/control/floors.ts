import { hostsOf, type ListedDestination } from './destination.ts'
import type { HoldName, Scope, Subject } from './hold.ts'
import type { InstanceFacts } from './instance-life.ts'
import { type Lookup, lookup } from './listing.ts'
import { activeHosts, selectableHosts } from './load-in-service.ts'
import { instanceDestinations, partsOfName } from './resolve.ts'
import type { Sender } from './sender.ts'

/** How many servers a floor leaves. `callsPerServer`: what is left must carry all calls, so many each. */
export type Least =
  | { readonly count: number }
  | { readonly percent: number }
  | { readonly callsPerServer: number }

/** What drains by choice must leave of a set or of an Auto Scaling group; without either, of each set. */
export type Floor = Least & { readonly set?: number; readonly group?: string }

/** What floors are judged by. */
export interface FloorView {
  /** what each edge lists, of those that were read lately */
  readonly lists: readonly { readonly edge: string; readonly listed: readonly ListedDestination[] }[]
  /** in force */
  readonly holds: readonly InForce[]
  /** of our groups; undefined while EC2 does not answer */
  readonly machines: readonly InstanceFacts[] | undefined
  /** in service; undefined while they are unknown */
  readonly calls: number | undefined
}

/** What floors and limits ask of a hold. */
export type InForce = Scope & HoldName & { readonly subject: Subject; readonly sender?: Sender }

/** A floor that is not kept now, and where. */
export interface BelowFloor {
  readonly because: string
  readonly never?: true
}

/** @returns everywhere that a floor is not kept as things are */
export function belowFloor(floor: Floor, view: FloorView): BelowFloor[] {
  if (floor.group !== undefined && !view.machines) return [{ because: unknownGroup(floor) }]
  const parts = partsOf(floor, view)
  const least = leastOf(floor, 0, view.calls) ?? 0
  if (floor.set !== undefined && view.lists.length > 0 && parts.length === 0 && least > 0)
    return [{ because: `no edge lists anything of set ${floor.set}, and its floor is ${least}` }]
  return parts.flatMap((part) => belowIn(part, view.calls) ?? [])
}

/** What a floor is about on one edge, indexed once: 500 that wait on 50 edges are too many comparisons. */
export interface Part {
  readonly name: string
  readonly floor: Floor
  readonly entries: readonly ListedDestination[]
  readonly find: Lookup
  /** hosts that get calls and are not held */
  readonly active: Set<string>
  /** and those besides that would get calls once their pings are answered: a network's failure ends */
  readonly spare: Set<string>
  /** and those that would get them, but for a hold that may be lifted: a retired mark's server is gone */
  readonly held: Set<string>
}

export function partsOf(floor: Floor, { lists, machines = [], holds }: FloorView): Part[] {
  return lists.flatMap(({ edge, listed }) => {
    const entries = ofGroup(floor.group, machines, listed)
    // A group's servers are counted once, in however many sets they are; a set's are its own.
    const its =
      floor.group !== undefined && floor.set === undefined
        ? [{ name: `group ${floor.group} on ${edge}`, entries }]
        : [...Map.groupBy(entries, ({ set }) => set)]
            .filter(([set]) => floor.set === undefined || set === floor.set)
            .map(([set, of]) => ({ name: `set ${set} on ${edge}`, entries: of }))
    return its.map((each): Part => {
      const [active, spare] = [activeHosts(each.entries), selectableHosts(each.entries)]
      const sets = { active: new Set(active), spare: new Set(spare), held: new Set<string>() }
      const part = { ...each, ...sets, floor, find: lookup(each.entries) }
      for (const hold of holds) take(part, hold)
      return part
    })
  })
}

/** From now on it is held. */
export function take({ find, active, spare, held }: Part, hold: InForce): void {
  for (const entry of find(hold)) {
    const host = hostsOf(entry).at(-1)
    if (host === undefined) continue
    if (hold.source !== 'retired') held.add(host)
    active.delete(host)
    spare.delete(host)
  }
}

function ofGroup(
  group: string | undefined,
  machines: readonly InstanceFacts[],
  listed: readonly ListedDestination[],
): readonly ListedDestination[] {
  if (group === undefined) return listed
  const find = lookup(listed)
  const its = machines
    .filter((machine) => machine.group === group)
    .flatMap((machine) => {
      const { instanceId, launchedAt, addresses, taggedDestinations } = machine
      const tagged = taggedDestinations.flatMap((name) => partsOfName(name)?.host ?? [])
      const near = find({
        ...{ uris: [], addresses: [...addresses, ...tagged], wholeInstance: true },
        subject: { kind: 'instance', instanceId, launchedAt },
      })
      const uris = new Set(instanceDestinations(machine, near))
      return near.filter(({ uri }) => uris.has(uri))
    })
  return [...new Set(its)]
}

/** @param taking what would be held besides; without it: whether the floor is kept as things are */
export function belowIn(part: Part, calls: number | undefined, taking?: Scope): BelowFloor | undefined {
  const { name, floor, active, held } = part
  if (taking) return wouldBeBelow(part, taking, calls)
  const least = leastOf(floor, new Set([...active, ...held]).size, calls)
  if (least === undefined) return unknownCalls(name)
  if (active.size >= least) return undefined
  return { because: `${name} has ${active.size} active servers, and its floor is ${least}` }
}

/**
 * A server that gets no calls takes nothing while as many as the floor are left that would get some. Where
 * all are inactive at once, it is the network, and all that is drained stays so when that is over.
 */
function wouldBeBelow(part: Part, taking: Scope, calls: number | undefined): BelowFloor | undefined {
  const { name, floor, entries, active, spare, held, find } = part
  const hosts = new Set(selectableHosts(find(taking)).filter((host) => spare.has(host)))
  if (hosts.size === 0) return undefined
  const taken = [...hosts].filter((host) => active.has(host)).length
  const [counted, its, what] = taken > 0 ? [active, taken, 'active servers'] : [spare, hosts.size, 'servers']
  const least = leastOf(floor, new Set([...counted, ...held]).size, calls)
  if (least === undefined) return unknownCalls(name)
  const left = counted.size - its
  if (left >= least) return undefined
  const because = `${name} would keep ${left} of its ${counted.size} ${what}, and its floor is ${least}`
  return { because, ...(asksForAll(floor, entries) && { never: true }) }
}

function unknownCalls(name: string): BelowFloor {
  return { because: `${name} has to carry all calls, and how many there are is unknown` }
}

/** While EC2 does not answer. */
export function unknownGroup({ group }: Floor): string {
  return `EC2 does not answer which servers are of group ${group}, and what its floor leaves is unknown`
}

/** Also when all that is listed gets calls. */
function asksForAll(floor: Floor, entries: readonly ListedDestination[]): boolean {
  const listed = new Set(entries.flatMap((entry) => hostsOf(entry).at(-1) ?? [])).size
  return (leastOf(floor, listed, 0) ?? 0) >= listed
}

function leastOf(floor: Floor, all: number, calls: number | undefined): number | undefined {
  if ('count' in floor) return floor.count
  if ('percent' in floor) return Math.ceil((all * floor.percent) / 100)
  return calls === undefined ? undefined : Math.max(1, Math.ceil(calls / floor.callsPerServer))
}
