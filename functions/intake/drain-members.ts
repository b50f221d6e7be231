import type { DrainCommand } from '../contracts/command.ts'
import type { CommandOutcome, EventDetail } from '../contracts/events.ts'
import type { Clearance } from '../control/clearance.ts'
import type { ChosenHold } from '../control/drain.ts'
import { DispatcherControlError } from '../control/errors.ts'
import { holdKey, isSameSubject, type Many, type ReplacedHold, replacing } from '../control/hold.ts'
import { refuseLongKey } from '../control/longest-key.ts'
import type { Ports } from '../ports/ports.ts'
import type { Sent } from '../stored/command-outcome.ts'
import { together } from '../stored/edge-results.ts'
import { onEach } from '../stored/on-each.ts'
import { changeReadBack } from '../stored/read-back.ts'
import { type Asked, askForAll, foreseeClearance, ownRequests } from './ask-clearance.ts'
import type { ClearanceNeeds, Cleared } from './clear-drains.ts'
import { askedFor, neverBegins, publishWaiting } from './hold-and-drain.ts'
import { membersOf, nothingThere } from './members.ts'
import { operatorOrder, ownHoldId, refuseBeyondLimit } from './operator-hold.ts'
import { keepPending } from './pending-outcomes.ts'
import { planHolds, readWithStakes } from './plan-holds.ts'
import { duplicatesIn, type Target, type TargetNeeds, targetOf } from './target.ts'

export type Member = Extract<EventDetail<'Command Answered'>, { readonly result: 'bulk' }>['members'][number]
type Needs = ClearanceNeeds & TargetNeeds
type Bulk = Extract<CommandOutcome<'drain'>, { readonly result: 'bulk' | 'bulk-dry-run' }>

interface Wanted {
  readonly asked: Asked
  readonly hold: ChosenHold
  readonly target: Target
  /** one's own hold, which it takes the place of */
  readonly replaces: ReplacedHold | undefined
}

/**
 * Drains a whole group, set or zone. Each member gets the hold that a command for it alone would have placed.
 * All are asked for before one run decides on them together, so that the floors hold for all of them. One
 * that can't be done is refused by itself.
 * @throws EmptyTarget, EdgesUnreadable where nothing is found; CommandRefused where all of them are more than
 * the sender may hold; what failed of one, or what EC2 refuses with, when all that can be done is done: the
 * message comes again
 */
export async function drainMembers(
  ports: Needs,
  command: DrainCommand,
  many: Many,
  sent: Sent,
): Promise<Bulk> {
  const found = () => wantedOf(ports, command, many, sent)
  if (command.dryRun) await readWithStakes(ports, async () => (await found()).wanted.map(({ hold }) => hold))
  const { wanted, unread, refusal } = await found()
  const holds = wanted.map(({ hold }) => hold)
  await refuseBeyondLimit(ports, sent.sender, holds)
  const { refused, clean } = thoseThatCan(wanted)
  const asked = clean.map(({ asked }) => asked)
  const { from: beginsAt, until: endsAt } = command
  if (command.dryRun) {
    const foreseen = await foreseeClearance(ports, asked)
    const members = [...refused, ...clean.map((each) => foreseenMember(each, foreseen))]
    return {
      ...{ result: 'bulk-dry-run', ...counted(members), unread, endsAt },
      ...(await planHolds(ports, clean.filter(mayBegin(foreseen)))),
    }
  }
  const cleared = await askForAll(ports, asked, 'refused')
  await onEach(clean, async ({ hold }) => {
    const its = cleared.get(holdKey(hold))
    if (its?.kind === 'waits')
      await publishWaiting(ports, { source: 'operator', beginsAt }, hold, its.because)
    if (its?.kind === 'failed') throw its.error
  })
  // A machine that was launched since is found when the message comes again.
  if (refusal) throw refusal
  const edges = await readBackAll(ports, command, clean.filter(isBegun(cleared)))
  const members = [...refused, ...clean.map((each) => clearedMember(each, cleared))]
  return { result: 'bulk', ...counted(members), edges, unread, beginsAt, endsAt }
}

/** What an earlier delivery has asked for is the same again, also of a machine that has left since. */
async function wantedOf(ports: Needs, command: DrainCommand, many: Many, sent: Sent) {
  const { requestedBy } = command
  const before = (await ownRequests(ports, sent.order)).filter(({ who }) => who === requestedBy)
  const members = await membersOf(ports, many, command.force !== undefined && !command.dryRun)
  const { targets, readouts, unread, refusal } = members
  if (before.length + targets.length === 0) throw nothingThere(ports, many, members)
  const asked = operatorOrder(ports, command, sent)
  const byId = new Map(targets.map((target) => [ownHoldId(target, requestedBy), target]))
  for (const hold of before) {
    const target = targetOf([hold], readouts)
    if (target) byId.set(hold.id, target)
  }
  const holds = Map.groupBy(await ports.store.holds(), holdKey)
  const wanted = [...byId].map(([holdId, target]): Wanted => {
    const own = askedFor(target, { ...asked, holdId, of: many })
    const its = holds.get(holdKey(own.hold)) ?? []
    const former = its.find(({ subject }) => isSameSubject(subject, target.subject))
    return { target, asked: own, hold: own.hold, replaces: replacing(former) }
  })
  return { wanted, unread, refusal }
}

/** One that can't be written apart from others, or has no key in the table, is refused by itself. */
function thoseThatCan(wanted: readonly Wanted[]) {
  const check = duplicatesIn(wanted[0]?.target.readouts ?? [])
  const refused: Member[] = []
  const clean = wanted.filter((each) => {
    try {
      refuseLongKey(each.hold)
      check(each.target)
      return true
    } catch (error) {
      if (!(error instanceof DispatcherControlError && error.permanent)) throw error
      refused.push(memberOf(each, 'refused', error.message))
      return false
    }
  })
  return { refused, clean }
}

const isBegun =
  (cleared: ReadonlyMap<string, Cleared>) =>
  ({ hold }: Wanted) =>
    cleared.get(holdKey(hold))?.kind === 'begun'

/** @returns each edge once, by the worst that came of any of them there */
async function readBackAll(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>,
  { id }: DrainCommand,
  begun: readonly Wanted[],
) {
  if (begun.length === 0) return []
  const wanted = await ports.store.raiseWanted()
  const resultOn = await changeReadBack(ports, wanted)
  const results = await onEach(begun, async ({ hold }) => {
    const edges = await resultOn(hold)
    await keepPending(ports, id, { hold, wanted }, edges)
    return edges
  })
  return together(results.flat())
}

function clearedMember(each: Wanted, cleared: ReadonlyMap<string, Cleared>): Member {
  const its = cleared.get(holdKey(each.hold))
  if (its?.kind === 'begun') return memberOf({ ...each, replaces: its.replaces }, its.result)
  if (its?.kind === 'never') return memberOf(each, 'refused', neverBegins(its.because))
  return its?.kind === 'waits' ? memberOf(each, 'waiting', its.because) : memberOf(each, 'stale')
}

/** What is refused writes nothing. */
const mayBegin =
  (foreseen: ReadonlyMap<string, Clearance>) =>
  ({ hold }: Wanted) => {
    const clearance = foreseen.get(holdKey(hold))
    return !clearance || clearance.clear || !clearance.never
  }

function foreseenMember(each: Wanted, foreseen: ReadonlyMap<string, Clearance>): Member {
  const clearance = foreseen.get(holdKey(each.hold))
  if (!clearance || clearance.clear) return memberOf(each, 'dry-run')
  if (clearance.never) return memberOf(each, 'refused', neverBegins(clearance.because))
  return memberOf(each, 'waiting', clearance.because)
}

function memberOf({ hold, replaces }: Wanted, result: Member['result'], because?: string): Member {
  return {
    ...{ target: memberName(hold), hold: holdKey(hold), result },
    ...(because !== undefined && { because }),
    ...(replaces && result !== 'refused' && { replaces }),
  }
}

/** What an outcome calls a member by. */
export function memberName({
  subject,
  wholeInstance,
  uris,
}: Pick<ChosenHold, 'subject' | 'wholeInstance' | 'uris'>): string {
  if (subject.kind === 'uri') return subject.uri
  return wholeInstance ? subject.instanceId : (uris[0] ?? subject.instanceId)
}

/** Of a long list an event keeps what comes first. */
const looksWanted: readonly Member['result'][] = ['refused', 'waiting', 'stale']

export function counted(members: readonly Member[]) {
  const isFirst = ({ result }: Member) => looksWanted.includes(result)
  const by = [...Map.groupBy(members, ({ result }) => result)]
  return {
    members: [...members.filter(isFirst), ...members.filter((member) => !isFirst(member))],
    counts: Object.fromEntries(by.map(([result, its]) => [result, its.length])),
  }
}
