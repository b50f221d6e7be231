import { hostsOf, type ListedDestination } from './destination.ts'
import type { ChosenHold } from './drain.ts'
import { coversUri, holdKey, isSameSubject, type Scope, type Subject } from './hold.ts'
import type { InstanceFacts } from './instance-life.ts'
import { type Lookup, lookup } from './listing.ts'
import { activeHosts, selectableHosts } from './load-in-service.ts'
import { instanceDestinations, partsOfName } from './resolve.ts'
import type { Sender } from './sender.ts'
import { utc } from './window.ts'

/** How many servers a floor leaves. `callsPerServer`: what is left must carry all calls, so many each. */
export type Least =
  | { readonly count: number }
  | { readonly percent: number }
  | { readonly callsPerServer: number }

/** What drains by choice must leave of a set or of an Auto Scaling group; without either, of each set. */
export type Floor = Least & { readonly set?: number; readonly group?: string }

export interface ClearanceRules {
  readonly floors: readonly Floor[]
  /** so many drains by choice may be under way; undefined: any number */
  readonly atOnce: number | undefined
}

/** No drain by choice begins, and no hold is lifted but by an operator. Times in epoch ms. */
export interface Freeze {
  readonly who: string
  readonly sender?: Sender
  readonly why: string
  readonly at: number
  readonly until?: number
  readonly order: string
  readonly ended?: {
    readonly at: number
    readonly by: string
    readonly sender?: Sender
    readonly why?: string
  }
}

/** @returns the freeze, where it is in force */
export function inForce(freeze: Freeze | undefined, now: number): Freeze | undefined {
  const isOver = !freeze || freeze.ended || (freeze.until !== undefined && now >= freeze.until)
  return isOver ? undefined : freeze
}

/** A drain by choice that was asked for and has not begun: its hold is not placed yet. */
export interface WaitingDrain {
  readonly hold: ChosenHold
  /** its place in the queue, which a newer request about the same hold keeps (epoch ms) */
  readonly since: number
  /** when its window begins, whatever else would let it begin before (epoch ms); then it is its place, too */
  readonly beginsAt?: number
  /** it was published that its window has begun and it may not */
  readonly overduePublished?: true
}

/** As it begins: the time to its deadline counts from now, as it was asked for, and not while it waits. */
export function begun({ hold, ...waiting }: WaitingDrain, now: number): WaitingDrain {
  const { beginsAt = hold.placedAt } = waiting
  return { ...waiting, hold: { ...hold, until: hold.until + Math.max(0, now - beginsAt) } }
}

/** All that wait. One that can't be read keeps no other one back. */
export interface Waiting {
  readonly drains: readonly WaitingDrain[]
  /** which rows can't be read, and why */
  readonly unread: readonly string[]
}

/** What clearance is decided by. */
export interface ClearanceView {
  /** what each edge lists, of those that were read lately */
  readonly lists: readonly { readonly edge: string; readonly listed: readonly ListedDestination[] }[]
  /** in force */
  readonly holds: readonly (Scope & Parameters<typeof holdKey>[0] & { readonly subject: Subject })[]
  /** of our groups */
  readonly machines: readonly InstanceFacts[]
  /** in service; undefined while they are unknown */
  readonly calls: number | undefined
  /** drains by choice that are under way, those of one server once */
  readonly underWay: number
  readonly freeze: Freeze | undefined
  readonly now: number
}

/** `never`: it can't begin however long it waits, unless the fleet grows or the settings change. */
export type Clearance =
  | { readonly clear: true }
  | { readonly clear: false; readonly because: string; readonly never?: true }

/**
 * Whether a drain by choice may begin now. Who forces it, with a reason, is asked nothing once its window has
 * begun. A request for what is held already, by whomever, takes nothing; one that names another server than
 * before takes that.
 * @param parts what the floors are about, where many are decided on
 */
export function clearance(
  { hold, beginsAt }: WaitingDrain,
  view: ClearanceView,
  rules: ClearanceRules,
  parts = rules.floors.flatMap((floor) => partsOf(floor, view)),
): Clearance {
  const isForced = hold.force !== undefined
  const below = isForced ? [] : parts.flatMap((part) => belowIn(part, view.calls, hold) ?? [])
  // Found when it is asked for, and not in the night of its window, or after the freeze.
  const never = below.find((each) => each.never)
  if (never) return { clear: false, ...never }
  if (beginsAt !== undefined && view.now < beginsAt)
    return { clear: false, because: `its window begins at ${utc(beginsAt)}` }
  if (isForced) return { clear: true }
  const freeze = inForce(view.freeze, view.now)
  if (freeze) return { clear: false, because: `frozen by ${freeze.who}: ${freeze.why}` }
  const { atOnce, floors } = rules
  if (atOnce !== undefined && view.underWay >= atOnce && takesOne(hold, view.holds))
    return {
      clear: false,
      because: `${view.underWay} drains by choice are under way, and the limit is ${atOnce}`,
    }
  if (floors.length === 0) return { clear: true }
  if (view.lists.length === 0 && !isHeldBy(hold, view.holds))
    return { clear: false, because: 'no edge was read lately' }
  const [found] = below
  return found ? { clear: false, ...found } : { clear: true }
}

type InForce = ClearanceView['holds'][number]

/** Whether it counts for the limit: what is renewed, or is about a server that is held already, does not. */
export function takesOne(hold: InForce, holds: readonly InForce[]): boolean {
  return !holds.some((each) => holdKey(each) === holdKey(hold)) && !isHeldBy(hold, holds)
}

/** Whether all that is listed of its server is held already, whoever holds it. */
function isHeldBy({ uris, subject }: InForce, holds: readonly InForce[]): boolean {
  const its = holds.filter((each) => isSameSubject(each.subject, subject))
  if (its.some(({ wholeInstance }) => wholeInstance)) return true
  return uris.length > 0 && uris.every((uri) => its.some((each) => coversUri(uri, each)))
}

/** A floor that is not kept now, and where. */
export interface BelowFloor {
  readonly because: string
  readonly never?: true
}

/** @returns everywhere that a floor is not kept as things are */
export function belowFloor(floor: Floor, view: ClearanceView): BelowFloor[] {
  const parts = partsOf(floor, view)
  const least = leastOf(floor, 0, view.calls) ?? 0
  if (floor.set !== undefined && view.lists.length > 0 && parts.length === 0 && least > 0)
    return [{ because: `no edge lists anything of set ${floor.set}, and its floor is ${least}` }]
  return parts.flatMap((part) => belowIn(part, view.calls) ?? [])
}

/** What a floor is about on one edge, indexed once: 500 that wait on 50 edges are too many comparisons. */
interface Part {
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

function partsOf(floor: Floor, { lists, machines, holds }: ClearanceView): Part[] {
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
function take({ find, active, spare, held }: Part, hold: InForce): void {
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
function belowIn(part: Part, calls: number | undefined, taking?: Scope): BelowFloor | undefined {
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

/** In the order in which they were asked for. */
export function inOrder(waiting: readonly WaitingDrain[]): WaitingDrain[] {
  return waiting.toSorted((a, b) => a.since - b.since || (holdKey(a.hold) < holdKey(b.hold) ? -1 : 1))
}

/**
 * Decides on all that wait, in their order: what begins is held for those that come after it. One that must
 * wait keeps no other one back.
 */
export function decide(
  waiting: readonly WaitingDrain[],
  view: ClearanceView,
  rules: ClearanceRules,
): ReadonlyMap<WaitingDrain, Clearance> {
  const decided = new Map<WaitingDrain, Clearance>()
  const parts = rules.floors.flatMap((floor) => partsOf(floor, view))
  let { holds, underWay } = view
  for (const each of inOrder(waiting)) {
    const found = clearance(each, { ...view, holds, underWay }, rules, parts)
    decided.set(each, found)
    if (!found.clear) continue
    if (takesOne(each.hold, holds)) underWay += 1
    holds = [...holds, each.hold]
    for (const part of parts) take(part, each.hold)
  }
  return decided
}
