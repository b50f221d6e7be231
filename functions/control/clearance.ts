import type { ChosenHold } from './drain.ts'
import { belowIn, type Floor, type FloorView, type InForce, partsOf, take, unknownGroup } from './floors.ts'
import { type Freeze, inForce } from './freeze.ts'
import { coversUri, hasEnded, holdKey, isSameSubject } from './hold.ts'
import { utc } from './window.ts'

export interface ClearanceRules {
  readonly floors: readonly Floor[]
  /** so many drains by choice may be under way; undefined: any number */
  readonly atOnce: number | undefined
  /** so many holds an alarm may have, over all its series; a command beyond its sender's is refused */
  readonly mostHolds: number
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
export interface ClearanceView extends FloorView {
  /** drains by choice that are under way, those of one server once */
  readonly underWay: number
  /** an instance that is held, and of which EC2 does not tell what addresses it has */
  readonly unshown?: string
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
  const beyond = beyondLimit(hold, view.holds, rules)
  if (beyond !== undefined) return { clear: false, because: beyond }
  const { atOnce, floors } = rules
  if (atOnce !== undefined && view.underWay >= atOnce && takesOne(hold, view.holds))
    return {
      clear: false,
      because: `${view.underWay} drains by choice are under way, and the limit is ${atOnce}`,
    }
  if (floors.length === 0) return { clear: true }
  const unknown = unknownIn(hold, view, floors)
  if (unknown !== undefined) return { clear: false, because: unknown }
  const [found] = below
  return found ? { clear: false, ...found } : { clear: true }
}

function beyondLimit(
  hold: ChosenHold,
  holds: readonly InForce[],
  { mostHolds }: ClearanceRules,
): string | undefined {
  const { source, sender } = hold
  if (source !== 'alarm' || !sender) return undefined
  const own = new Set(holds.filter((each) => each.sender?.id === sender.id).map(holdKey))
  if (own.size < mostHolds || !takesOne(hold, holds)) return undefined
  return `its alarm has ${own.size} holds in force, and the limit of a sender is ${mostHolds} (control.maxHoldsPerSender of the settings): it begins once one of them is lifted`
}

/** What a request takes of the floors nobody knows then, but that a server which is held takes nothing. */
function unknownIn(
  { uris, subject }: InForce,
  { holds, lists, machines, unshown }: ClearanceView,
  floors: readonly Floor[],
): string | undefined {
  if (isHeldBy({ uris, subject }, holds)) return undefined
  if (lists.length === 0) return 'no edge was read lately'
  const nobodyKnows = subject.kind === 'instance' && subject.launchedAt === 0 ? subject.instanceId : unshown
  if (nobodyKnows !== undefined) return `EC2 has not shown what addresses ${nobodyKnows} has`
  const ofGroup = floors.find(({ group }) => group !== undefined)
  return machines || !ofGroup ? undefined : unknownGroup(ofGroup)
}

/** Whether it counts for the limit: what is renewed, or is about a server that is held already, does not. */
export function takesOne(hold: InForce, holds: readonly InForce[]): boolean {
  return !holds.some((each) => holdKey(each) === holdKey(hold)) && !isHeldBy(hold, holds)
}

/** Whether all that is listed of its server is held already, whoever holds it. */
function isHeldBy({ uris, subject }: Pick<InForce, 'uris' | 'subject'>, holds: readonly InForce[]): boolean {
  const its = holds.filter((each) => isSameSubject(each.subject, subject))
  if (its.some(({ wholeInstance }) => wholeInstance)) return true
  return uris.length > 0 && uris.every((uri) => its.some((each) => coversUri(uri, each)))
}

/** In the order in which they were asked for. */
export function inOrder(waiting: readonly WaitingDrain[]): WaitingDrain[] {
  return waiting.toSorted((a, b) => a.since - b.since || (holdKey(a.hold) < holdKey(b.hold) ? -1 : 1))
}

/**
 * Decides on all that wait, in their order: what begins is held for those that come after it. One that must
 * wait keeps no other one back.
 * @returns nothing of what waits beyond its own end: it never begins, and takes nothing of the others
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
    if (hasEnded(each.hold, view.now)) continue
    const found = clearance(each, { ...view, holds, underWay }, rules, parts)
    decided.set(each, found)
    if (!found.clear) continue
    if (takesOne(each.hold, holds)) underWay += 1
    holds = [...holds, each.hold]
    for (const part of parts) take(part, each.hold)
  }
  return decided
}
