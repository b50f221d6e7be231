import type { ActivateCommand } from '../contracts/command.ts'
import type { CommandOutcome } from '../contracts/events.ts'
import { type Hold, holdKey, type Many, named } from '../control/hold.ts'
import { lookup } from '../control/listing.ts'
import type { Sent } from '../stored/command-outcome.ts'
import { onEach } from '../stored/on-each.ts'
import { readBack } from '../stored/read-back.ts'
import type { ClearanceNeeds } from './clear-drains.ts'
import { counted, type Member, memberName } from './drain-members.ts'
import { dropWaiting } from './drop-waiting.ts'
import { lift } from './lift.ts'
import { type Members, membersOf, nothingThere } from './members.ts'
import { endedBefore, heldOrWaiting, others, ownHoldId, refuseAbort } from './operator-hold.ts'
import { keepPending } from './pending-outcomes.ts'
import { planActivate } from './plan-holds.ts'
import type { Target, TargetNeeds } from './target.ts'

type Needs = ClearanceNeeds & TargetNeeds
type Bulk = Extract<CommandOutcome<'activate'>, { readonly result: 'bulk' | 'dry-run' }>

/**
 * Lifts all of the caller's own holds of a whole group, set or zone, and drops what waits. Others' stay.
 * @throws EmptyTarget, EdgesUnreadable where nothing is found, and nothing is held or waits of it;
 * CommandRefused where scale-ins alone hold any of it; what EC2 refuses with, when all that is known is
 * lifted: the message comes again
 */
export async function activateMembers(
  ports: Needs,
  command: ActivateCommand,
  many: Many,
  { order, sender }: Sent,
): Promise<Bulk> {
  const { requestedBy: by } = command
  if (command.dryRun) await readBack(ports, { notBefore: ports.clock.now() })
  // What is held is known without EC2: it is given back also while that refuses.
  const members = await membersOf(ports, many, !command.dryRun)
  const isIts = speakingOf(many, members)
  const isOwn = ({ source, who }: Hold) => source === 'operator' && who === by
  const isMeant = (hold: Hold) => isOwn(hold) && isIts(hold)
  const before = await endedBefore(ports, order)
  const isNobodyThere = members.targets.length + before.lifted.length + before.dropped.length === 0
  if (isNobodyThere && !(await heldOrWaiting(ports)).some(isMeant)) throw nothingThere(ports, many, members)
  const asked = { order, sender, why: command.reason }
  const ids = members.targets.flatMap((target) => ownIds(target, by))
  // An activate that overtook its drain: the older drain must find that something later was requested.
  if (!command.dryRun)
    await onEach(ids, (id) => ports.store.seeRequest({ source: 'operator', id }, order, 'lift'))
  // What waits comes first: one that begins meanwhile is found among the holds.
  const droppedNow = command.dryRun ? [] : await dropWaiting(ports, ({ hold }) => isMeant(hold), by, asked)
  const holds = await ports.store.holds()
  const itsHolds = holds.filter(isIts)
  const chosen = itsHolds.filter(isMeant)
  const dropped = [...before.dropped, ...droppedNow]
  const waits = command.dryRun ? (await ports.store.waiting()).drains.map(({ hold }) => hold) : []
  refuseAbort(command, itsHolds, [...chosen, ...before.lifted, ...dropped, ...waits.filter(isMeant)])
  if (command.dryRun) {
    const destinations = [...new Set(chosen.flatMap(({ uris }) => uris))]
    const lifting = { holds, lifted: chosen, isIts: isMeant }
    return {
      ...{ result: 'dry-run', destinations },
      ...{ wouldLift: chosen.map(named), stillHeld: others(itsHolds, chosen) },
      ...(await planActivate(ports, members.targets, lifting)),
    }
  }
  const all = [...chosen, ...before.lifted]
  const { lifted, edges, wanted } = await lift(ports, all, by, asked)
  // What is held of a machine that was launched since is found when the message comes again.
  if (members.refusal) throw members.refusal
  await onEach(lifted, (hold) => {
    const tombstone = { ...hold, order, lifted: { at: ports.clock.now(), by, sender } }
    return keepPending(ports, command.id, { hold: tombstone, wanted }, edges)
  })
  const came = new Map<string, Member>()
  for (const hold of dropped) came.set(holdKey(hold), memberOf(hold, 'dropped'))
  for (const hold of all) came.set(holdKey(hold), memberOf(hold, lifted.includes(hold) ? 'lifted' : 'stale'))
  return {
    result: 'bulk',
    ...counted([...came.values()]),
    unread: members.unread,
    stillHeld: others(itsHolds, lifted),
    edges,
  }
}

function isAlike(one: Many | undefined, other: Many): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** Of what a member is, and of each of its destinations, which may be drained by itself. */
function ownIds(target: Target, by: string): string[] {
  const single = target.uris.map((uri) => ownHoldId({ ...target, uris: [uri], wholeInstance: false }, by))
  return [...new Set([ownHoldId(target, by), ...single])]
}

/**
 * @returns whether a hold speaks of any member, also of one that EC2 knows no more, or was placed by a drain
 * of the same many: what that covers may be listed no more
 */
function speakingOf(many: Many, { targets }: Members): (hold: Hold) => boolean {
  const ids = new Set(
    targets.flatMap(({ subject }) => (subject.kind === 'instance' ? [subject.instanceId] : [])),
  )
  const find = lookup(targets.flatMap(({ uris }) => uris.map((uri) => ({ uri }))))
  return (hold) =>
    isAlike(hold.of, many) ||
    ('group' in many && hold.group === many.group) ||
    (hold.subject.kind === 'instance' && ids.has(hold.subject.instanceId)) ||
    find(hold).length > 0
}

function memberOf(hold: Hold, result: Member['result']): Member {
  return { target: memberName(hold), hold: holdKey(hold), result }
}
