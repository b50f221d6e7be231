import type { Freeze } from '../../functions/control/freeze.ts'
import { type Hold, type HoldName, holdKey } from '../../functions/control/hold.ts'
import type { Deployed, Shelf } from '../desk/desk.ts'
import { inShell } from '../desk/shell-word.ts'
import { isoTime } from '../desk/times.ts'
import type { Outcome, Undo } from '../show/show-outcome.ts'
import { drainAgain, type Request, wholeInstanceOf } from '../views/drain-again.ts'
import { requestedIn, unlessUnread } from '../views/look-around.ts'

/** A request as it was before a command was sent; `beginsAt`: it waits for its window (epoch ms). */
interface Former {
  readonly hold: Hold
  readonly beginsAt?: number
}
/** A hold in force, and what waits, may have one key. */
interface FormerOf {
  readonly placed?: Former
  readonly waiting?: Former
}
/** By the hold's key. */
export type Formers = ReadonlyMap<string, FormerOf>

export async function formersIn(shelf: Shelf, now: number): Promise<Formers | undefined> {
  const read = await unlessUnread(() => requestedIn(shelf))
  if (!read) return undefined
  const { holds, waiting } = read.found
  const formers = new Map<string, FormerOf>(holds.map((hold) => [holdKey(hold), { placed: { hold } }]))
  for (const { hold, beginsAt = 0 } of waiting.drains) {
    const window = { hold, ...(beginsAt > now && { beginsAt }) }
    formers.set(holdKey(hold), { ...formers.get(holdKey(hold)), waiting: window })
  }
  return formers
}

const unreadBefore = (kdc: string) => `what was held before could not be read: ${kdc} history names it`

interface Drained {
  /** what the command named */
  readonly words: string
  /** who sent it */
  readonly who: string
  readonly formers: Formers | undefined
  readonly kdc: Deployed['kdc']
}

export function undoOfDrain(outcome: Outcome, drained: Drained): Undo {
  const { words, who, formers, kdc } = drained
  const { result, hold = '' } = outcome
  if (result === 'stale') return {}
  if (!formers) return { commands: [`activate ${words}`], not: [unreadBefore(kdc)] }
  const former = formers.get(hold)
  if (former || outcome.replaces) {
    const { lifts, again } = whatRestores(former, outcome)
    return {
      commands: [...(lifts ? [`activate ${words}`] : []), ...again.map((each) => asBefore(words, each))],
    }
  }
  const hadOwn =
    [...formers.values()]
      .flatMap(({ placed, waiting }) => [placed, waiting])
      .some((each) => each?.hold.source === 'operator' && each.hold.who === who) ||
    outcome.members.some(({ replaces }) => replaces)
  return result === 'bulk' && hadOwn ? undoOfEach(outcome, formers, kdc) : { commands: [`activate ${words}`] }
}

/** A drain that waits leaves the hold in force; one that began has replaced it, and dropped what waited. */
function whatRestores(
  { placed, waiting }: FormerOf = {},
  { result, replaces }: Pick<Outcome['members'][number], 'result' | 'replaces'>,
) {
  // What was placed since it was looked for, only the answer names. It is what waited then, or has replaced
  // that.
  const held = placed ? requestOf(placed) : replaces
  const waited = waiting && (placed || !replaces) ? requestOf(waiting) : undefined
  const gone = result === 'waiting' ? [waited ?? held] : [held, waited]
  const again = gone.filter((each) => each !== undefined)
  return { lifts: result === 'waiting' ? again.length === 0 : held === undefined, again }
}

const asBefore = (words: string, former: Request) => drainAgain(words, [former])

/** Of a drain of many. An `activate` of the many would lift all that one held of any of them before, too. */
function undoOfEach({ members, counts }: Outcome, formers: Formers, kdc: string): Undo {
  const done = ['started', 'waiting', 'duplicate']
  const taken = members
    .filter(({ result }) => done.includes(result))
    .map((member) => ({
      ...{ words: inShell(member.target) },
      ...whatRestores(formers.get(member.hold), member),
    }))
  const lifted = taken.filter(({ lifts }) => lifts)
  const lost = done.reduce((sum, result) => sum + (counts[result] ?? 0), 0) - taken.length
  const commands = [
    ...(lifted.length > 0 ? [`activate ${lifted.map(({ words }) => words).join(' ')}`] : []),
    ...taken.flatMap(({ words, again }) => again.map((each) => asBefore(words, each))),
  ]
  return {
    ...(commands.length > 0 && { commands }),
    not: lost > 0 ? [`${lost} more: ${kdc} history names them`] : [],
  }
}

/** A drain is one's own: it stands for what another had held only where one holds nothing besides. */
export function undoOfActivate(outcome: Outcome, { words, who, formers, kdc }: Drained): Undo {
  const { lifted, dropped, stillHeld, members, counts } = outcome
  const isHolding = stillHeld.some((hold) => hold.source === 'operator' && hold.who === who)
  const named = [
    ...lifted.map((name) => ({ ...name, was: 'placed' as const })),
    ...dropped.map((name) => ({ ...name, was: 'waiting' as const })),
  ]
  const others = named.filter((name) => name.who !== who)
  const again = named.filter((name) => name.who === who || !isHolding)
  const ofMany = members.flatMap(({ hold, target, result }) => {
    const former = formers?.get(hold)
    if (!former || !['lifted', 'dropped'].includes(result)) return []
    // What waited under the name of a hold that was lifted is dropped too, and has no line of its own.
    return [{ on: inShell(target), gone: [result === 'lifted' && former.placed, former.waiting] }]
  })
  const taken = [
    ...again.map((name) => ({ ...requestIn(name, formers), on: targetOf(name, formers) ?? words })),
    ...ofMany.flatMap(({ on, gone }) => gone.flatMap((each) => (each ? [{ ...requestOf(each), on }] : []))),
  ]
  const count = (counts['lifted'] ?? 0) + (counts['dropped'] ?? 0)
  const all = named.length + count
  const lost = count - ofMany.length
  // A window stands beside a hold in force of its name: one drain can't ask for both. Holds first.
  const isWindow = ({ beginsAt }: Request) => beginsAt !== undefined
  const inTurn = taken.toSorted((one, other) => Number(isWindow(one)) - Number(isWindow(other)))
  const together = Map.groupBy(inTurn, (each) => `${each.on} ${isWindow(each)}`)
  return {
    ...(taken.length > 0 && {
      commands: [...together.values()].map((requests) => drainAgain(requests[0]?.on ?? words, requests)),
    }),
    not: [
      ...others.map(
        (name) => `${notByCommand(name)}; ${isHolding ? 'you hold it still' : 'the drain is yours'}`,
      ),
      ...(formers || all === 0 ? [] : [unreadBefore(kdc)]),
      ...(formers && lost > 0 ? [`${lost} more: ${kdc} history names them`] : []),
    ],
  }
}

function notByCommand({ source, id, who }: Outcome['lifted'][number]): string {
  const what = `no command of yours places ${source}/${id} again`
  switch (source) {
    case 'alarm':
      return `${what}: its alarm does, when it fires anew`
    case 'operator':
      return `${what}: it was asked for by ${who}`
    case 'retired':
    case 'lifecycle':
      return `${what}: a scale-in does`
    default:
      return source satisfies never
  }
}

/** The whole instance where that was held, also where the command named a destination of it. */
function targetOf(name: HoldName, formers: Formers | undefined): string | undefined {
  const { placed, waiting } = formers?.get(holdKey(name)) ?? {}
  const former = placed ?? waiting
  return former && wholeInstanceOf(former.hold)
}

function requestOf({ hold, beginsAt }: Former): Request {
  const { why, endsAt, force } = hold
  return { why, endsAt, force, beginsAt }
}

function requestIn(
  { was, ...name }: HoldName & Request & { readonly was: keyof FormerOf },
  formers: Formers | undefined,
): Request {
  const former = formers?.get(holdKey(name))?.[was]
  return former ? requestOf(former) : { why: name.why, endsAt: name.endsAt }
}

/** The freeze in force before a command was sent, where that could be read. */
export type FormerFreeze = { readonly found: Freeze | undefined } | undefined

const unknownFreeze = (kdc: string) =>
  `which freeze was in force before could not be read: ${kdc} history names it`

type ByWhom = Pick<Drained, 'who' | 'kdc'>

export function undoOfFreeze({ result }: Outcome, former: FormerFreeze, { who, kdc }: ByWhom): Undo {
  if (result !== 'frozen') return {}
  if (former?.found) return undoByFreeze(former.found, who)
  return { commands: ['unfreeze'], not: former ? [] : [unknownFreeze(kdc)] }
}

export function undoOfUnfreeze({ result }: Outcome, former: FormerFreeze, { who, kdc }: ByWhom): Undo {
  if (result !== 'unfrozen') return {}
  if (!former) return { not: [unknownFreeze(kdc)] }
  const { found } = former
  if (!found) return { not: [`no freeze was in force by this machine's clock: ${kdc} history names it`] }
  return undoByFreeze(found, who)
}

/** Whoever sends it has it by their own name. */
function undoByFreeze(found: Freeze, who: string): Undo {
  const others = `no command of yours places the freeze of ${found.who}: ${found.why}; the freeze is yours`
  return { commands: [freezeAgain(found)], not: found.who === who ? [] : [others] }
}

function freezeAgain({ why, until }: Freeze): string {
  return `freeze -m ${inShell(why)}${until === undefined ? '' : ` --until ${isoTime(until)}`}`
}

export function undoOfReload({ edges }: Outcome, kdc: string): Undo {
  // One that failed after it was reloaded has what it lists.
  if (!edges.some(({ outcome, listed }) => outcome === 'reloaded' || listed !== undefined)) return {}
  return {
    not: [
      `nobody keeps what an edge listed before: restore the list from your own copy, and then: ${kdc} reload`,
    ],
  }
}

export const undoOfRelease: Undo = {
  not: [
    'drains that went on stay ended; others wait for the edge again once its parameter is back, which is to be after its restart',
  ],
}
