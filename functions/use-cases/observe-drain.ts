import { eventTypes } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { isGone, mayBeUnknownYet } from '../control/instance-life.ts'
import { lacks, type Observation, observation, removedEdges } from '../control/observation.ts'
import type { Round } from '../control/round.ts'
import { type Judgement, judge, type Verdict } from '../control/verdict.ts'
import {
  actionOver,
  answer,
  carryOn,
  end,
  holdOf,
  keptAlive,
  overtaken,
  save,
  sayAndSave,
  summary,
} from './drain-step.ts'
import { confirmEverywhere, resultFor } from './edges.ts'
import { type CallsOnEdge, callsOnEdges } from './end-calls.ts'
import { blind, overdue } from './overdue.ts'
import type { Ports } from './ports.ts'
import { freshRound } from './round.ts'
import { settle } from './settle.ts'
import { inTurn } from './turns.ts'

/**
 * One look at a drain: heartbeat first, then a round (shared by all drains; it disables again what drifted), then the
 * verdict and what follows from it.
 */
export async function observeDrain(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  const { record, over } = alive
  if (over) return actionOver(ports, record)
  // Claimed anew while it runs, after its row was lost: nothing of it is known yet.
  if (record.state === 'claimed') return answer(ports, record, 'begin')

  const placed = holdOf(record)
  const hold = await ports.store.hold(placed.source, placed.id, placed.subject)
  // It was gone, or overdue, before a hold could be placed; the execution that was to complete it has failed.
  if (!hold && record.state === 'completing') return answer(ports, record, 'complete')
  if (hold?.lifted && record.lifecycle && (await hasGone(ports, hold))) return completeGone(ports, record)
  // What it kept disabled is given back by the settle of each edge.
  if (!hold || hold.lifted) return end(ports, record, 'lifted')

  if (await hasOtherAddresses(ports, record))
    return answer(ports, await save(ports, record, { state: 'claimed' }), 'begin', { shortest: true })

  let looked: Look
  try {
    looked = await look(ports, record, hold)
  } catch (error) {
    return blind(ports, record, error)
  }
  return follow(ports, looked, callsOnEdges(looked.round, hold))
}

/** EC2 shows the addresses of a young machine one after the other: what came since its drain began is resolved and counted, too. */
async function hasOtherAddresses(
  { instances, clock }: Pick<Ports, 'instances' | 'clock'>,
  { subject, wholeInstance, addresses }: DrainRecord,
): Promise<boolean> {
  if (subject?.kind !== 'instance' || !wholeInstance) return false
  if (!mayBeUnknownYet(subject.launchedAt, clock.now())) return false
  const facts = await instances.byId(subject.instanceId)
  return facts?.addresses.some((address) => !addresses.includes(address)) ?? false
}

/** Its address was launched anew, which lifted the hold, before a look could see that the machine is gone: its action is open still. */
async function hasGone(
  { instances, clock }: Pick<Ports, 'instances' | 'clock'>,
  { subject }: Hold,
): Promise<boolean> {
  if (subject.kind !== 'instance') return false
  return isGone(await instances.byId(subject.instanceId), subject.launchedAt, clock.now())
}

async function completeGone(ports: Ports, record: DrainRecord): Promise<WorkflowPayload> {
  const completion = record.retainedAt === undefined ? 'CONTINUE' : 'TERMINATE'
  const gone = await save(ports, record, { state: 'completing', result: 'gone', completion })
  return answer(ports, gone, 'complete')
}

interface Look {
  readonly seen: DrainRecord
  readonly judgement: Judgement
  readonly round: Round
}

/** A round, judged, remembered and said. */
async function look(ports: Ports, record: DrainRecord, hold: Hold): Promise<Look> {
  const began = ports.clock.now()
  let judged = await judgedBy(ports, record, hold, await freshRound(ports, holdKey(hold)))
  // A call may have come since that round: what ends a drain was asked after its look began.
  if (ends(judged.judgement.verdict) && judged.round.startedAt < began)
    judged = await judgedBy(ports, record, hold, await freshRound(ports, holdKey(hold), began))
  const { round, observed, judgement } = judged
  // An edge that the round could not read can't be confirmed, and each of 500 drains would ask every edge again.
  const readable = round.edges.every((reading) => reading.readable)
  const confirmedAt =
    record.confirmedAt ?? (readable ? await inTurn(ports, () => confirmLate(ports, record, hold)) : undefined)
  const seen = await save(ports, record, {
    edges: judgement.edges,
    steps: record.steps + 1,
    ...(confirmedAt !== undefined && { confirmedAt }),
  })
  await ports.events.publish({
    type: eventTypes.drainProgress,
    detail: {
      ...summary(seen),
      verdict: judgement.verdict,
      callsLeft: judgement.callsLeft,
      unknown: judgement.unknown,
      released: observed.released,
      lacks: lacks(observed),
    },
  })
  return { seen, judgement, round }
}

interface Judged {
  readonly round: Round
  readonly observed: Observation
  readonly judgement: Judgement
}

async function judgedBy(ports: Ports, record: DrainRecord, hold: Hold, round: Round): Promise<Judged> {
  const rules = ports.config.timers
  const released = removedEdges(record, round).length > 0 ? await ports.store.releases() : []
  const releasedEdges = released.map(({ edge }) => edge)
  const observed = observation(record, holdKey(hold), round, rules, releasedEdges)
  return { round, observed, judgement: judge(record, observed, false, ports.clock.now(), rules) }
}

function ends(verdict: Verdict): boolean {
  return verdict === 'drained' || verdict === 'absent'
}

async function follow(
  ports: Ports,
  { seen: record, judgement }: Look,
  onEdges: readonly CallsOnEdge[],
): Promise<WorkflowPayload> {
  const { verdict, zeroPending } = judgement
  switch (verdict) {
    case 'drained':
    case 'absent':
    case 'gone': {
      if (record.lifecycle) {
        const completing = await save(ports, record, {
          state: 'completing',
          result: verdict,
          completion: record.retainedAt === undefined ? 'CONTINUE' : 'TERMINATE',
        })
        return answer(ports, completing, 'complete')
      }
      if (verdict === 'gone') return end(ports, record, 'gone')
      // An operator's or alarm's drain waits here for its hold to be lifted, and keeps it meanwhile.
      const changes = { state: 'drained', result: verdict } as const
      const drained =
        record.state === 'drained' ? record : await sayAndSave(ports, eventTypes.drained, record, changes)
      return carryOn(ports, drained, 'observe')
    }
    case 'overdue':
      return overdue(ports, record, { ...judgement, onEdges })
    case 'draining':
    case 'unknown':
    case 'lifted':
      return carryOn(ports, record, 'observe', { zeroPending })
  }
}

/** An edge was not confirmed at begin: settled and read back again, now. */
async function confirmLate(ports: Ports, record: DrainRecord, hold: Hold): Promise<number | undefined> {
  const edges = await ports.fleet.edges()
  const settled = await settle(ports, edges, await ports.store.wanted())
  if (!(await confirmEverywhere(ports, hold, settled))) return undefined
  const results = settled.map((result) => resultFor(result, hold))
  const confirmedAt = ports.clock.now()
  await ports.events.publish({
    type: eventTypes.drainConfirmed,
    detail: { ...summary({ ...record, confirmedAt }), edges: results },
  })
  return confirmedAt
}
