import { eventTypes } from '../contracts/names.ts'
import type { SettleRequest } from '../contracts/settle-request.ts'
import { DispatcherControlError } from '../control/errors.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { asked, isOutcomeOf, keptForm, whatIsAsked } from '../stored/command-outcome.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import { oneAtATime } from '../stored/one-at-a-time.ts'
import { storedReadings } from '../stored/read-back.ts'
import { edgesChanged } from './edges-changed.ts'
import { readMachines } from './read-machines.ts'
import { countReadings } from './reading-metrics.ts'
import { endReleases, releaseEdge } from './release-edge.ts'
import { reloadEdges } from './reload-edges.ts'
import { resolveHolds } from './resolve-holds.ts'
import { type FleetNeeds, settleFleet } from './settle-fleet.ts'
import { hasCalls } from './wake-drains.ts'
import { rememberingWantedHolds } from './wanted-holds.ts'

type Needs = FleetNeeds & Pick<EdgePorts, 'instances' | 'mediaServers'>

/** All that the one function does which reaches edges. */
export async function handleSettle(ports: Needs, request: SettleRequest): Promise<void> {
  switch (request.kind) {
    case 'settle':
      return settleAndCount(ports, request)
    case 'minute':
      return everyMinute(ports)
    case 'edges-changed':
      return edgesChanged(ports, request)
    case 'command':
      return doOnce(ports, request)
    default:
      return request satisfies never
  }
}

type Settle = Extract<SettleRequest, { kind: 'settle' }>
type Command = Extract<SettleRequest, { kind: 'command' }>

/**
 * For so long edges wait for what holds cover, ms: an EC2 that is slow, or does not answer, keeps none from
 * being settled.
 */
const resolvesWithinMs = 1000

/** What EC2 and the media servers show matters to whoever looks at all of it, and not to whoever disables. */
async function settleAndCount(ports: Needs, { notBefore, endCalls, atStake }: Settle): Promise<void> {
  const { clock } = ports
  const wantedHolds = rememberingWantedHolds(ports)
  const resolvesUntil = clock.now() + resolvesWithinMs
  const progress = { isResolved: false, isLate: false }
  const resolve = async () => {
    try {
      await resolveHolds(ports, wantedHolds)
    } finally {
      progress.isResolved = true
      // What was filled in late may be known to no edge yet.
      if (progress.isLate) await settleFleet(ports, { wantedHolds })
    }
  }
  const settle = async () => {
    for (
      let waitMs = 0;
      !progress.isResolved && clock.now() < resolvesUntil;
      waitMs = Math.min(100, 2 * waitMs + 5)
    )
      await clock.sleep(waitMs)
    progress.isLate = !progress.isResolved
    const works = [
      () => settleFleet(ports, { notBefore, endCalls, atStake, wantedHolds }),
      () => (notBefore === undefined ? undefined : readMachines(ports, notBefore)),
    ]
    await onEach(works, async (work) => work())
  }
  await onEach([resolve, settle], async (work) => work())
}

/**
 * Also while nothing is drained: it keeps a VPC link in use, which AWS makes inactive after 60 days without
 * traffic.
 */
async function everyMinute(ports: Needs): Promise<void> {
  const startedAt = ports.clock.now()
  // What was read a moment ago rests.
  const notBefore = startedAt - ports.config.timers.minWaitSeconds * 1000
  await tryAll([
    () => endReleases(ports),
    () => settleAndCount(ports, { kind: 'settle', notBefore }),
    () => countReadings(ports, startedAt),
    () => readBusyEdges(ports, startedAt),
  ])
}

/** Within a minute, ms: so late the end of a drain's last call is found. */
const passesAt = [20_000, 40_000] as const

/**
 * Edges with calls of what is held are read more often than the others: the end of the last one wakes its
 * drain.
 */
async function readBusyEdges(ports: FleetNeeds, startedAt: number): Promise<void> {
  const { clock, config } = ports
  for (const passAt of passesAt) {
    const { edges } = await storedReadings(ports, clock.now())
    const busy = edges.flatMap((reading) => (reading.readable && hasCalls(reading) ? [reading.edge] : []))
    if (busy.length === 0) return
    const waitMs = startedAt + passAt - clock.now()
    if (waitMs > 0) await clock.sleep(waitMs)
    const notBefore = clock.now() - config.timers.minWaitSeconds * 1000
    await settleFleet(ports, { notBefore, only: busy })
  }
}

/**
 * Of the lease of a command, in RPC timeouts: two edges after each other, each reloaded in a settle, and
 * settled again.
 */
const commandTimeouts = 72

/**
 * Does a command once, however often it is asked for. What can never be done is its outcome, too: whoever
 * asked rejects it.
 */
async function doOnce(ports: FleetNeeds, request: Command): Promise<void> {
  const leaseMs = commandTimeouts * ports.config.timers.rpcTimeoutSeconds * 1000
  await oneAtATime(ports, `/command/${request.command.id}`, leaseMs, () => doCommand(ports, request))
}

async function doCommand(ports: FleetNeeds, request: Command): Promise<void> {
  const { command, order } = request
  const { store, events } = ports
  if (isOutcomeOf(await store.commandOutcome(command.id), order)) return
  const outcome = await outcomeOf(command, order, () => done(ports, request))
  // The outcome is kept last: a run that is killed before publishes the event again, rather than never.
  if (!('refused' in outcome)) await events.publish({ type: eventTypes.commandAnswered, detail: outcome })
  const kept = 'refused' in outcome ? outcome : keptForm(outcome)
  await store.putCommandOutcome(command.id, kept, whatIsAsked(command))
}

async function done(ports: FleetNeeds, { command, order, sender }: Command) {
  return command.command === 'reload'
    ? { ...asked(command, sender), ...(await reloadEdges(ports, command, order, sender)) }
    : { ...asked(command, sender), ...(await releaseEdge(ports, command, order, sender)) }
}

async function outcomeOf<Outcome>(command: Command['command'], order: string, work: () => Promise<Outcome>) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DispatcherControlError && error.permanent)) throw error
    return { ...asked(command), refused: error.message, order }
  }
}
