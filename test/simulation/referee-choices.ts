import type { Choices, HoldWritten, Placement, Wait } from './choices.ts'
import { type Findings, since } from './findings.ts'
import { isHeldAlready, isHeldBesides } from './held-already.ts'
import type { History, Seen } from './observed.ts'
import { askedBy } from './operators.ts'
import {
  forbiddenByAll,
  freshEdges,
  isAnyFresh,
  mayBeForbidden,
  maybeUnderWay,
  surelyUnderWay,
} from './room.ts'
import { clocksDifferMs } from './truth.ts'

/** Drains by choice: floors, limit, freeze, order and senders, each as its hold is placed or lifted. */
export function judgeChoices(history: History, findings: Findings): void {
  const { choices } = history.truth
  for (const placed of choices.placements) {
    judgeFloors(history, placed, findings)
    judgeLimit(history, placed, findings)
    judgeFreeze(history, placed, findings)
    judgeOrder(history, placed, findings)
  }
  for (const hold of choices.holds) if (hold.isLifted && hold.isByChoice) judgeLift(history, hold, findings)
  for (const wait of choices.waits) judgeSender(history, wait, findings)
  judgeUnknown(history, findings)
}

/** Since when its run can have known what it decided by. */
function decidedFrom({ leases }: Choices, { run, at }: Placement): number {
  const lease = leases.findLast((one) => one.run === run && one.at <= at)
  return lease?.at ?? run?.startedAt ?? at
}

function about({ places: [server] }: { readonly places: readonly number[] }, at: number) {
  return { at, since: at, ...(server !== undefined && { server }) }
}

function roomOf(history: History, from: number, to: number) {
  const { truth, plan } = history
  // An inventory may be a minute old, and a machine is shown late.
  const mayBe = from - memberMs
  const there = truth.machines.filter(({ launchedAt, goneAt = to }) => launchedAt <= to && goneAt >= mayBe)
  const surely = there.filter(({ shownAt, goneAt = to }) => shownAt <= mayBe && goneAt >= to)
  return {
    choices: truth.choices,
    floors: plan.floors,
    members: { surely: surely.map(({ server }) => server), maybe: there.map(({ server }) => server) },
  }
}

/** So long after it came or went nobody can say whether a machine counts as the group's. */
const memberMs = 180_000

function judgeFloors(history: History, placed: Placement, findings: Findings): void {
  const { choices } = history.truth
  if (history.plan.floors.length === 0 || placed.isForced) return
  const from = decidedFrom(choices, placed)
  const room = roomOf(history, from, placed.at)
  // Another hold of its server that came meanwhile may have been seen: then this one takes nothing.
  const floor = isHeldBesides(choices, placed, from)
    ? undefined
    : forbiddenByAll(room, placed, from, placed.at)
  const isHeld = isHeldAlready(choices, placed, from)
  findings.check(
    'the floors are kept',
    floor === undefined && (isHeld || isAnyFresh(room, from, placed.at)),
    about(placed, placed.at),
    () =>
      `${placed.key} began at ${since(history, placed.at)}: ${floor ? `no list of two minutes leaves what ${JSON.stringify(floor)} asks for` : 'no edge was read lately'}`,
  )
}

function judgeLimit(history: History, placed: Placement, findings: Findings): void {
  const { choices } = history.truth
  const { atOnce } = history.plan
  if (atOnce === undefined || placed.isForced) return
  const from = decidedFrom(choices, placed)
  if (isHeldAlready(choices, placed, from)) return
  const underWay = surelyUnderWay(choices, placed.key, from, placed.at)
  findings.check(
    'the floors are kept',
    underWay < atOnce,
    about(placed, placed.at),
    () =>
      `${placed.key} began at ${since(history, placed.at)}: ${underWay} others are under way, and the limit is ${atOnce}`,
  )
}

/** A freeze that was answered, and is surely in force at this time. */
function frozenAt(choices: Choices, at: number) {
  return choices.freezes.find(
    (freeze) =>
      freeze.answeredAt !== undefined &&
      freeze.answeredAt < at &&
      choices.endOf(freeze) > at + clocksDifferMs,
  )
}

function judgeFreeze(history: History, placed: Placement, findings: Findings): void {
  const { choices } = history.truth
  if (choices.freezes.length === 0) return
  const freeze = frozenAt(choices, placed.at)
  findings.check(
    'a freeze is kept',
    placed.isForced || freeze === undefined,
    about(placed, placed.at),
    () =>
      `${placed.key} began at ${since(history, placed.at)}, and a freeze is in force since ${since(history, freeze?.at ?? 0)}`,
  )
}

/**
 * An operator lifts what he names. Nothing else is lifted, but what its own request has left, and what was
 * held of a machine whose address a launch has given to another.
 */
function judgeLift(history: History, hold: HoldWritten, findings: Findings): void {
  const { choices } = history.truth
  if (choices.freezes.length === 0 || hold.run === undefined || hold.run.name === 'commands') return
  const startedAt = hold.run.startedAt
  const before = choices.holds.findLast(
    (one) => one.key === hold.key && one.subject === hold.subject && one.at < hold.at,
  )
  if (!before || before.isLifted || hasOtherReason(history, hold)) return
  const freeze = frozenAt(choices, startedAt)
  findings.check(
    'a freeze is kept',
    freeze === undefined || choices.endOf(freeze) < hold.at + clocksDifferMs,
    about(hold, hold.at),
    () =>
      `${hold.key} was lifted by ${hold.run?.name} at ${since(history, hold.at)}, and a freeze is in force since ${since(history, freeze?.at ?? 0)}`,
  )
}

/** Its own request means another machine by now, or its address is another's. */
export function hasOtherReason({ truth }: History, hold: HoldWritten): boolean {
  const isMoved = truth.choices.placements.some(
    ({ key, subject, at }) => key === hold.key && subject !== hold.subject && at <= hold.at,
  )
  const isInherited = truth.machines.some(
    ({ server, launchedAt }) =>
      hold.places.includes(server) && launchedAt <= hold.at && launchedAt > launchOf(hold),
  )
  return isMoved || isInherited
}

/** Of the machine that it is placed on: the last word of its subject. */
function launchOf({ subject }: HoldWritten): number {
  return Number(subject.split(' ')[1] ?? Number.POSITIVE_INFINITY)
}

/** Of two alike the one that was asked for first begins first. */
function judgeOrder(history: History, placed: Placement, findings: Findings): void {
  const { choices } = history.truth
  const own = choices.waits.findLast(({ key, until }) => key === placed.key && until === placed.at)
  if (!own || own.isForced || placed.run === undefined || placed.run.isBroken) return
  const from = decidedFrom(choices, placed)
  const held = choices.everHeld(from - 1, placed.at)
  const isNew = (wait: Wait) => !held.some(({ key, at }) => key === wait.key && at < placed.at)
  const earlier = choices.waits.filter(
    (wait) =>
      wait !== own &&
      wait.from < from &&
      wait.until > placed.at &&
      wait.since < own.since &&
      beginningOf(history, wait) < from - clocksDifferMs &&
      !wait.isForced &&
      isNew(wait) &&
      areAlike(history, wait, own, { from, to: placed.at, held }),
  )
  if (earlier.length === 0 && choices.waitingAt(placed.at).length === 0) return
  findings.check(
    'what waits begins in order',
    earlier.length === 0 || !isNew(own),
    about(placed, placed.at),
    () =>
      `${placed.key} began at ${since(history, placed.at)}, and ${earlier[0]?.key} was asked for before and takes no more`,
  )
}

/** Whole servers with the same lines in every list, which nothing else holds, of machines that are there. */
function areAlike(
  { truth }: History,
  one: Wait,
  other: Wait,
  { from, to, held }: { readonly from: number; readonly to: number; readonly held: readonly HoldWritten[] },
): boolean {
  const places = [one, other].map((wait) => wait.places)
  const [[first] = [], [second] = []] = places
  const isPlain = ({ servers, places: its }: Wait) => servers.length === 1 && its.length === 1
  if (!isPlain(one) || !isPlain(other) || first === undefined || second === undefined) return false
  const isThere = (place: number) =>
    truth.machines.some(
      ({ server, shownAt, goneAt = to }) => server === place && shownAt <= from - memberMs && goneAt >= to,
    )
  const isHeld = held.some(
    (hold) => hold.at < to && hold.places.some((its) => its === first || its === second),
  )
  if (!isThere(first) || !isThere(second) || isHeld) return false
  const lines = (shown: Choices['shown'][number][number], place: number) =>
    JSON.stringify(
      shown.entries.flatMap(({ set, server, isActive, isSelectable }) =>
        server === place ? `${set} ${isActive} ${isSelectable}` : [],
      ),
    )
  return truth.choices.shown
    .flatMap((all) => all.filter(({ until }) => until >= from - memberMs))
    .every((shown) => lines(shown, first) === lines(shown, second))
}

/** A role is one sender in all its sessions. */
const principalOf = (id: string) => id.replace(/:.*/, '')

/** A new request of a sender that was at its limit all the while that its run looked. */
function judgeSender(history: History, wait: Wait, findings: Findings): void {
  const { choices } = history.truth
  const { mostHolds } = history.plan
  const { sender, run, from: at } = wait
  if (mostHolds === undefined || sender === undefined || !run || !wait.key.startsWith('operator/')) return
  const startedAt = run.startedAt
  const isOwn = (other: { readonly sender: string | undefined }) =>
    other.sender !== undefined && principalOf(other.sender) === principalOf(sender)
  const surely = new Set(
    [
      ...choices.surelyHeld(startedAt, at).filter((hold) => hold.at <= startedAt),
      ...choices.waits.filter(({ from, until }) => from < startedAt && until > at),
    ]
      .filter(isOwn)
      .map(({ key }) => key),
  )
  const maybe = [
    ...choices.everHeld(startedAt, at),
    ...choices.waits.filter(({ from, until }) => from < at && until >= startedAt),
  ].some((other) => isOwn(other) && other.key === wait.key)
  findings.check(
    'a sender keeps to its limit',
    maybe || surely.size < mostHolds,
    about(wait, at),
    () => `${sender} asks for ${wait.key} at ${since(history, at)}, and has ${[...surely].join(', ')}`,
  )
}

function judgeUnknown(history: History, findings: Findings): void {
  const { unknownSender } = history.plan
  if (unknownSender === undefined) return
  const { holds, waits, freezes } = history.truth.choices
  const senders = [
    ...[...holds, ...waits, ...freezes].map(({ sender }) => sender),
    ...holds.map(({ liftedBy }) => liftedBy),
  ]
  findings.check(
    'a sender keeps to its limit',
    !senders.includes(unknownSender),
    { at: history.endedAt, since: history.startedAt },
    () => `${unknownSender} is named by nobody, and has changed something`,
  )
}

function beginningOf(history: History, wait: Wait): number {
  return askedBy(history, wait)?.beginsAt ?? 0
}

/** What waits after minutes in which nothing happened waits for a reason. */
const calmMs = 150_000

export function judgeWaits(history: History, seen: Seen, findings: Findings): void {
  const { choices } = history.truth
  const from = seen.at - calmMs
  for (const wait of choices.waitingAt(seen.at)) {
    if (Math.max(wait.from, beginningOf(history, wait)) > from) continue
    findings.check(
      'what waits begins by itself',
      isWithReason(history, wait, from, seen.at),
      about(wait, seen.at),
      () =>
        `${wait.key} waits since ${since(history, wait.from)}, and at ${since(history, seen.at)} nothing keeps it`,
    )
  }
}

function isWithReason(history: History, wait: Wait, from: number, to: number): boolean {
  const { choices } = history.truth
  const { atOnce } = history.plan
  if (wait.isForced) return false
  if (choices.isFrozen(from - clocksDifferMs, to)) return true
  // What holds its server as a whole already takes it from nobody's limit.
  const isHeld = choices
    .surelyHeld(from, to)
    .some(({ subject, servers }) => subject === wait.subject && servers.length > 0)
  if (!isHeld && atOnce !== undefined && maybeUnderWay(choices, wait.key, from, to) >= atOnce) return true
  const room = roomOf(history, from, to)
  if (room.floors.length === 0) return false
  return freshEdges(room, from, to).length === 0 || mayBeForbidden(room, wait, from, to)
}
