import type { History } from './observed.ts'
import { isOf, operators, type Said, saidOf } from './operators.ts'
import { clocksDifferMs, type Machine, type Sent } from './truth.ts'

/** What should be of a place for a media server: by the messages that came, and by nothing that is stored. */
export type Wanted = 'held' | 'free' | `undecided: ${string}`

export function isUndecided(wanted: Wanted): boolean {
  return wanted !== 'held' && wanted !== 'free'
}

/** Nobody is asked to have noticed sooner than this. */
const noticeMs = 150_000
/** What no message tells is found within so long: it is looked for each minute, in what AWS shows late. */
export const missedMs = 180_000
/** What has come to its end is lifted by the next sweep, where nothing goes wrong. */
export const endedMs = 120_000

/** When the drain of a lifecycle action has begun at the latest, as its message was taken or not. */
export function foundAt({ takenAt = Number.POSITIVE_INFINITY, sentAt }: Sent): number {
  return Math.min(takenAt, sentAt + missedMs)
}

export function wantedOf(history: History, server: number, at: number): Wanted {
  const machines = history.truth.machines.filter(
    (machine) => machine.server === server && machine.launchedAt <= at,
  )
  const current = machines.at(-1)
  if (!current) return 'undecided: no machine was there'
  const own = ofMachine(history, current, at)
  if (own !== 'free' || machines.length === 1) return own
  // The mark of whoever had it before may stay, where its heir is gone before anybody could be told of it.
  if (current.goneAt !== undefined && current.goneAt <= at) return 'undecided: nobody has the address'
  const isOfTheAddress = history.truth.sent.some(
    ({ about }) =>
      (about.kind === 'many' && 'set' in about.whom) ||
      (history.plan.byDestination.includes(server) &&
        about.kind === 'operator' &&
        about.machine !== current &&
        about.machine.server === server),
  )
  if (isOfTheAddress) return 'undecided: an operator named an address that another has now'
  // An address that was recycled is the newcomer's, once its launch was told.
  return wasAnnounced(history, current, at) ? 'free' : 'undecided: nothing told of the launch'
}

function ofMachine(history: History, machine: Machine, at: number): Wanted {
  const reasons = [
    byOperator(history, machine, at),
    byAlarm(history, machine, at),
    byLifecycle(history, machine, at),
  ]
  if (reasons.includes('held')) {
    const isGone = machine.goneAt !== undefined && machine.goneAt <= at
    // What an operator or an alarm said of a machine that is gone binds nobody, and no message ends it.
    return isGone && reasons[2] !== 'held' ? 'undecided: the machine of a hold is gone' : 'held'
  }
  return reasons.find(isUndecided) ?? 'free'
}

function taken(sent: readonly Sent[], at: number): Sent[] {
  return sent.filter(({ takenAt }) => takenAt !== undefined && takenAt <= at)
}

/** Whether a message was given to a function that did not end with it yet, or that rejected it. */
function isOpen({ deliveredAt, takenAt, pending, rejected }: Sent, at: number): boolean {
  if (deliveredAt === undefined || deliveredAt > at) return false
  return rejected !== undefined || pending > 0 || takenAt === undefined || takenAt > at
}

function byOperator(history: History, machine: Machine, at: number): Wanted {
  const reasons = operators.flatMap((by) =>
    (['instance', 'destination'] as const).map((form): Wanted => {
      const commands = saidOf(history, machine, by, form)
      if (commands.length === 0) return 'free'
      if (history.plan.renamed.includes(machine.server))
        return 'undecided: what an operator named is spelled otherwise now'
      if (isOfItsAddress(commands, machine))
        return 'undecided: nobody knows whether a command for many was for it'
      return bySaid(history, commands, { form, server: machine.server, at })
    }),
  )
  if (reasons.includes('held')) return 'held'
  return reasons.find(isUndecided) ?? 'free'
}

/** A command for many that comes once the machine is gone means whatever is listed there: a bare URI. */
function isOfItsAddress(commands: readonly Said[], { goneAt = Number.POSITIVE_INFINITY }: Machine): boolean {
  return commands.some(
    ({ sent: { about, takenAt } }) => about.kind === 'many' && takenAt !== undefined && takenAt >= goneAt,
  )
}

/** Whether what it asks for ever began. */
export function wasPlaced({ choices }: History['truth'], { sent }: Said, server: number): boolean {
  return choices.holds.some((hold) => isOf(hold, sent) && hold.places.includes(server))
}

/** The command that was sent last decides, until its end. */
function bySaid(
  history: History,
  commands: readonly Said[],
  { form, server, at }: { readonly form: string; readonly server: number; readonly at: number },
): Wanted {
  const { truth } = history
  const came = commands.filter(({ sent }) => (sent.deliveredAt ?? Number.POSITIVE_INFINITY) <= at)
  const last = came.at(-1)
  const decided = lastOf(
    came.map(({ sent }) => sent),
    at,
    () => last?.command === 'drain',
  )
  if (!last || isUndecided(decided)) return decided
  if (last.is === 'maybe') return 'undecided: nobody knows whether a command for many was for it'
  // Only of what it names by itself an activate is noted before its drain has come.
  const isOvertaken = came.some(
    ({ sent, command }) => command === 'drain' && (sent.takenAt ?? at) > (last.sent.deliveredAt ?? at),
  )
  if (form === 'destination' && last.sent.about.kind === 'many' && isOvertaken)
    return 'undecided: an activate of many has overtaken a drain'
  if (last.command === 'activate') return 'free'
  if (truth.choices.refused.some((one) => one.order === last.sent.order && one.server === server))
    return 'undecided: one of many was refused'
  const isIts = (key: string) =>
    key.endsWith(`/${last.by}`) && key.startsWith('operator/i-') === (form === 'instance')
  const wanted = unlessWaiting(truth, 'held', isIts, { server, at })
  const { endsAt = Number.POSITIVE_INFINITY } = last
  if (wanted !== 'held' || endsAt > at + clocksDifferMs) return wanted
  const isAnew = came.slice(0, -1).some(({ command }) => command === 'drain')
  if (!wasPlaced(truth, last, server) && isAnew)
    return 'undecided: a hold was asked for anew with an end, and waited until then'
  const isSettled = at >= Math.max(endsAt, last.sent.takenAt ?? at) + endedMs
  const isFree = isSettled && !truth.choices.isFrozen(at - endedMs, at)
  return isFree ? 'free' : 'undecided: a hold has come to its end'
}

/** Its OK came during a freeze, which lifts nothing, and CloudWatch showed ALARM again afterwards. */
export function isAgainInAlarm({ truth }: History, { about, sentAt, deliveredAt }: Sent): boolean {
  if (about.kind !== 'alarm' || about.state !== 'OK' || deliveredAt === undefined) return false
  const again = truth.alarms.find((one) => one.server === about.server && one.at > sentAt)
  return again?.state === 'ALARM' && truth.choices.isFrozen(deliveredAt, deliveredAt)
}

function byAlarm(history: History, machine: Machine, at: number): Wanted {
  const { truth } = history
  const sent = truth.sent.filter(({ about }) => about.kind === 'alarm' && about.server === machine.server)
  const decided = lastOf(sent, at, ({ about }) => about.kind === 'alarm' && about.state === 'ALARM')
  const wanted = unlessWaiting(truth, decided, (key) => key.startsWith('alarm/'), {
    server: machine.server,
    at,
  })
  if (sent.length > 0 && decided === 'free' && truth.choices.isFrozen(at - missedMs, at))
    return 'undecided: an alarm that is over during a freeze'
  const lastCame = sent.findLast(({ deliveredAt }) => deliveredAt !== undefined && deliveredAt <= at)
  if (decided === 'free' && lastCame && isAgainInAlarm(history, lastCame))
    return 'undecided: an alarm is in ALARM again, which no message told, and its OK came during a freeze'
  const last = taken(sent, at).at(-1)
  if (wanted !== 'held' || last?.about.kind !== 'alarm') return wanted
  // Its ALARM was for the machine that had the address before.
  if (last.about.machine !== machine) return 'free'
  // It holds as long as its alarm is in ALARM, whether a message tells of the end or not.
  const ended = truth.alarms.find(
    (one) => one.server === machine.server && one.at > last.sentAt && one.at <= at && one.state !== 'ALARM',
  )
  if (!ended) return 'held'
  const isSettled = at >= Math.max(ended.at, last.takenAt ?? at) + missedMs
  const shown = truth.alarmAt(machine.server, at)?.state
  const isFree = (shown === 'OK' || shown === 'deleted') && !truth.choices.isFrozen(at - missedMs, at)
  return isSettled && isFree ? 'free' : 'undecided: an alarm ended without a message'
}

/** What waits for clearance is not held: whether it waits with reason is judged by itself. */
function unlessWaiting(
  { choices }: History['truth'],
  wanted: Wanted,
  isIts: (key: string) => boolean,
  { server, at }: { readonly server: number; readonly at: number },
): Wanted {
  const waits = choices.waitingAt(at).filter(({ key, places }) => isIts(key) && places.includes(server))
  if (wanted !== 'held' || waits.length === 0) return wanted
  const isHeld = choices.everHeld(at, at).some((hold) => waits.some(({ key }) => key === hold.key))
  return isHeld ? 'undecided: what is held is asked for anew, and waits' : 'free'
}

/** The message that was sent last decides, whatever order they came in. */
function lastOf(sent: readonly Sent[], at: number, holds: (sent: Sent) => boolean): Wanted {
  const came = sent.filter(({ deliveredAt }) => deliveredAt !== undefined && deliveredAt <= at)
  const last = came.at(-1)
  if (!last) return 'free'
  if (isOpen(last, at)) return 'undecided: a message was not done'
  // One that was rejected may have been half done.
  if (came.some((one) => one.rejected !== undefined)) return 'undecided: a message was rejected'
  return holds(last) ? 'held' : 'free'
}

function byLifecycle(history: History, machine: Machine, at: number): Wanted {
  const { truth } = history
  const sent = truth.sent.filter(({ about }) => about.kind === 'terminate' && about.machine === machine)
  const [first] = sent
  if (!first) return 'free'
  const found = foundAt(first)
  if (found > at) {
    if (isOpen(first, at)) return 'undecided: a message was not done'
    return first.sentAt > at ? 'free' : 'undecided: it waits, and no message told of it yet'
  }
  const going = truth.goings.find((one) => one.machine === machine)
  // Gone before anybody could look, or listed nowhere meanwhile: there may have been nothing to hold.
  const wasOurs = going !== undefined && going.by === 'completion' && !going.deadMachine
  const goneEarly = !wasOurs && machine.goneAt !== undefined && machine.goneAt < found + noticeMs
  if (goneEarly) return 'undecided: the machine was gone before anybody could look'
  // The sweep may have found it long before its message came.
  const since = going && going.at < found ? first.sentAt : found
  if (going && history.wasUnlisted(machine.server, since, at))
    return 'undecided: it may have been listed nowhere'
  const goneAt = machine.goneAt ?? Number.POSITIVE_INFINITY
  if (goneAt < at && history.wasUnlisted(machine.server, goneAt, at))
    return 'undecided: its mark may have ended, since it was listed nowhere'
  if (history.plan.groupDeleted) return 'undecided: its group is gone'
  return 'held'
}

/** Its launch was told, or it waited at our hook, and we let it go on. */
function wasAnnounced({ truth }: History, machine: Machine, at: number): boolean {
  const isLetIn = truth.waits.some(
    ({ kind, ended, ...wait }) =>
      kind === 'launch' && wait.machine === machine && ended?.by === 'us' && ended.at + noticeMs <= at,
  )
  if (isLetIn) return true
  return truth.sent.some(
    ({ about, takenAt }) =>
      about.kind === 'launch' &&
      about.machine === machine &&
      takenAt !== undefined &&
      takenAt + noticeMs <= at,
  )
}
