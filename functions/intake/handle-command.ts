import type {
  ActivateCommand,
  Command,
  DrainCommand,
  ReleaseCommand,
  ReloadCommand,
} from '../contracts/command.ts'
import { manyOf, parseCommand } from '../contracts/command.ts'
import type { CommandOutcome, EventDetail } from '../contracts/events.ts'
import { eventTypes } from '../contracts/names.ts'
import { InvalidMessage, OutcomePending } from '../control/errors.ts'
import { type Hold, type HoldName, holdKey, named, orderOf } from '../control/hold.ts'
import { refuseLongKey } from '../control/longest-key.ts'
import { speaksOf } from '../control/plan.ts'
import { verifiedSender } from '../control/sender.ts'
import { refuseWindow } from '../control/window.ts'
import type { Ports } from '../ports/ports.ts'
import type { CommandOutcomeRow } from '../ports/store.ts'
import {
  accepted,
  asked,
  isOutcomeOf,
  keepRefusal,
  keptForm,
  type Sent,
  whatIsAsked,
} from '../stored/command-outcome.ts'
import { allListed, storedLists } from '../stored/lists.ts'
import { readBack } from '../stored/read-back.ts'
import { activateMembers } from './activate-members.ts'
import { ownRequests } from './ask-clearance.ts'
import type { ClearanceNeeds } from './clear-drains.ts'
import { drainMembers } from './drain-members.ts'
import { dropWaiting } from './drop-waiting.ts'
import { freeze, unfreeze } from './freeze.ts'
import { askedFor, holdAndDrain } from './hold-and-drain.ts'
import type { Incoming } from './intake.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { mayRestart } from './may-restart.ts'
import {
  endedBefore,
  heldOrWaiting,
  operatorOrder,
  others,
  ownHoldId,
  refuseAbort,
  refuseBeyondLimit,
} from './operator-hold.ts'
import { keepPending } from './pending-outcomes.ts'
import { planActivate, planDrain, readWithStakes } from './plan-holds.ts'
import { heldInstance, resolveTarget, type Target, type TargetNeeds, targetOf } from './target.ts'
import { keepPlan, refuseUnplanned, usePlan } from './use-plan.ts'

type Needs = ClearanceNeeds & LiftNeeds & TargetNeeds
type SentAt = Sent & Pick<Incoming, 'sentAt'>

/**
 * Does one operator's command and keeps its outcome, a refusal too, under the command's id: the same id again
 * is answered, not done again. The order of commands for one destination is decided by when they were sent,
 * whatever order they come in.
 */
export async function handleCommand(ports: Needs, message: Incoming): Promise<CommandOutcomeRow> {
  const order = orderOf(message.sentAt, message.sequence)
  try {
    return await outcomeOf(ports, message, order)
  } catch (error) {
    await keepRefusal(ports.store, { body: message.body, order }, error)
    throw error
  }
}

async function outcomeOf(ports: Needs, message: Incoming, order: string): Promise<CommandOutcomeRow> {
  const command = parseCommand(message.body)
  const sender = verifiedSender(message.senderId, ports.config.senders)
  const sent = { order, sender }
  const known = await ports.store.commandOutcome(command.id)
  if (isOutcomeOf(known, order)) return accepted(ports.store, known, command)
  await refuseUnplanned(ports, command, sender)
  if (command.command === 'reload' || command.command === 'release') return doneBySettle(ports, command, sent)
  await usePlan(ports, command, sent)
  const outcome = await done(ports, command, { ...sent, sentAt: message.sentAt })
  // The outcome is kept last: a run that is killed before publishes the event again, rather than never.
  await ports.events.publish({ type: eventTypes.commandAnswered, detail: outcome })
  const kept = keptForm(outcome)
  await keepPlan(ports, command, sender)
  await ports.store.putCommandOutcome(command.id, kept, whatIsAsked(command))
  return kept
}

async function done(
  ports: Needs,
  command: Exclude<Command, ReloadCommand | ReleaseCommand>,
  sent: SentAt,
): Promise<EventDetail<'Command Answered'>> {
  switch (command.command) {
    case 'drain':
      return { ...asked(command, sent.sender), ...(await drain(ports, command, sent)) }
    case 'activate':
      return { ...asked(command, sent.sender), ...(await activate(ports, command, sent)) }
    case 'freeze':
      return { ...asked(command, sent.sender), ...(await freeze(ports, command, sent)) }
    case 'unfreeze':
      return { ...asked(command, sent.sender), ...(await unfreeze(ports, command, sent)) }
    case 'may-restart':
      return { ...asked(command, sent.sender), ...(await mayRestart(ports, command)) }
    default:
      return command satisfies never
  }
}

/** In RPC timeouts: an outcome that is not there by then is looked for again when the message comes again. */
const outcomeTimeouts = 6

/**
 * What is about edges themselves is done by the one function that reaches them.
 * @throws OutcomePending, CommandRefused
 */
async function doneBySettle(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>,
  command: ReloadCommand | ReleaseCommand,
  sent: Sent,
): Promise<CommandOutcomeRow> {
  const { store, settles, clock, config } = ports
  const giveUpAt = clock.now() + outcomeTimeouts * config.timers.rpcTimeoutSeconds * 1000
  await settles.ask({ kind: 'command', command, ...sent })
  for (let waitMs = 250; clock.now() < giveUpAt; waitMs = Math.min(1000, waitMs * 2)) {
    await clock.sleep(waitMs)
    const outcome = await store.commandOutcome(command.id)
    if (isOutcomeOf(outcome, sent.order)) return accepted(store, outcome, command)
  }
  throw new OutcomePending(
    `${command.command} ${command.id} is not done yet; the message comes again and looks for it`,
  )
}

async function drain(
  ports: Needs,
  command: DrainCommand,
  { order, sender, sentAt }: SentAt,
): Promise<CommandOutcome<'drain'>> {
  refuseWindow(command, sentAt)
  const many = manyOf(command)
  if (many) return drainMembers(ports, command, many, { order, sender })
  const placedBefore = (await ownRequests(ports, order)).filter(({ who }) => who === command.requestedBy)
  const found = async () => {
    const target = targetOf(placedBefore) ?? (await resolveTarget(ports, targetName(command)))
    const holdId = ownHoldId(target, command.requestedBy)
    refuseLongKey({ source: 'operator', id: holdId, subject: target.subject })
    return { target, asked: { ...operatorOrder(ports, command, { order, sender }), holdId } }
  }
  const stakes = async () => {
    const { target, asked } = await found()
    return [askedFor(target, asked).hold]
  }
  if (command.dryRun) await readWithStakes(ports, stakes)
  const { target, asked } = await found()
  const hold = holdKey({ source: 'operator', id: asked.holdId })
  await refuseBeyondLimit(ports, sender, [askedFor(target, asked).hold])
  const { until: endsAt } = command
  if (command.dryRun) return { ...(await planDrain(ports, target, asked)), endsAt }
  const held = await holdAndDrain(ports, target, asked)
  const about = { destinations: target.uris, hold, endsAt }
  if (held.result === 'waiting') return { ...about, ...held, edges: [] }
  const { result, edges, replaces, placed } = held
  if (placed) await keepPending(ports, command.id, placed, edges)
  return { ...about, result, edges, replaces }
}

async function activate(
  ports: Needs,
  command: ActivateCommand,
  { order, sender }: Sent,
): Promise<CommandOutcome<'activate'>> {
  const many = manyOf(command)
  if (many) return activateMembers(ports, command, many, { order, sender })
  if (command.dryRun) await readBack(ports, { notBefore: ports.clock.now() })
  const before = await endedBefore(ports, order)
  const known = [...(await heldOrWaiting(ports)), ...before.lifted, ...before.dropped]
  const target =
    (await knownInstance(ports, command, known)) ??
    (await resolveTarget(
      ports,
      targetName(command),
      known.flatMap((hold) => hold.uris),
    ))
  const own = ownHoldId(target, command.requestedBy)
  const meant = isMeant(command, own, { source: 'operator', id: own })
  // An activate that overtook its drain: the older drain must find that something later was requested.
  if (meant && !command.dryRun) await ports.store.seeRequest({ source: 'operator', id: own }, order, 'lift')
  // What waits comes first: one that begins meanwhile is found among the holds.
  const isOnTarget = speaksOf(target, allListed(target.readouts))
  const isIts = (hold: Hold) => isMeant(command, own, hold) && isOnTarget(hold)
  const droppedNow = command.dryRun
    ? []
    : await dropWaiting(ports, ({ hold }) => isIts(hold), command.requestedBy, {
        ...{ order, sender, why: command.reason },
      })
  const dropped = [...before.dropped, ...droppedNow]
  const holds = await ports.store.holds()
  const itsHolds = holds.filter(isOnTarget)
  const chosen = itsHolds.filter((hold) => isMeant(command, own, hold))
  const waits = command.dryRun ? (await ports.store.waiting()).drains.map(({ hold }) => hold) : []
  refuseAbort(command, itsHolds, [...chosen, ...before.lifted, ...dropped, ...waits.filter(isIts)])
  if (command.dryRun)
    return {
      ...{ result: 'dry-run', destinations: target.uris },
      ...{ wouldLift: chosen.map(named), stillHeld: others(itsHolds, chosen) },
      ...(await planActivate(ports, [target], { holds, lifted: chosen, isIts })),
    }
  const by = command.requestedBy
  const options = { order, sender, why: command.reason, scope: target }
  const { lifted, edges, wanted } = await lift(ports, [...chosen, ...before.lifted], by, options)
  for (const hold of lifted) {
    const tombstone = { ...hold, order, lifted: { at: ports.clock.now(), by, sender } }
    await keepPending(ports, command.id, { hold: tombstone, wanted }, edges)
  }
  const notLifted = chosen.length > 0 ? 'stale' : 'nothing-to-lift'
  return {
    result: lifted.length + dropped.length > 0 ? 'lifted' : notLifted,
    destinations: target.uris,
    dropped: dropped.map(named),
    lifted: lifted.map(named),
    stillHeld: others(itsHolds, lifted),
    edges,
  }
}

/**
 * An instance that is held as a whole, or was until an earlier delivery of this very command: what is lifted
 * of it needs neither EC2, which may have forgotten it, nor a list.
 */
async function knownInstance(
  ports: Pick<Ports, 'store'>,
  { instance }: ActivateCommand,
  known: readonly Hold[],
): Promise<Target | undefined> {
  return instance === undefined ? undefined : heldInstance(known, instance, await storedLists(ports))
}

function targetName(command: DrainCommand | ActivateCommand): string {
  const name = command.instance ?? command.destination
  if (name === undefined)
    throw new InvalidMessage('exactly one of destination, instance, group, set and zone must be given')
  return name
}

/**
 * Whether an activate lifts this hold: the one that it names, those of the source that it names, or else the
 * operator's `own` of what is named.
 */
function isMeant({ holdId, source }: ActivateCommand, own: string, hold: HoldName): boolean {
  if (holdId !== undefined) return hold.id === holdId || holdKey(hold) === holdId
  if (source !== undefined) return hold.source === source
  return hold.source === 'operator' && hold.id === own
}
