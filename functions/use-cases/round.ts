import { eventTypes, metricNames } from '../contracts/names.ts'
import { type ListedDestination, usualUris } from '../control/destination.ts'
import { EdgeError, RoundUnavailable } from '../control/errors.ts'
import { type Hold, holdKey, holdsOn } from '../control/hold.ts'
import { entriesOf, isDisabled } from '../control/plan.ts'
import type { EdgeReading, Round, Unknown } from '../control/round.ts'
import { asEdgeError, disableOnEdge, onEveryEdge } from './edges.ts'
import type { CallsOf, Edge, Ports } from './ports.ts'
import { restore, undoIfLifted } from './restore.ts'
import { countRound } from './round-metrics.ts'

type Needs = Pick<
  Ports,
  'store' | 'clock' | 'ids' | 'fleet' | 'events' | 'metrics' | 'config' | 'mediaServers' | 'instances'
>

const leaseName = 'round'

/**
 * A round no older than the shortest wait (that knows the hold, if one is named), made by whoever needs it first: an edge's load does not
 * grow with the number of drains. Making one also corrects drift for every hold.
 * @throws RoundUnavailable when somebody else is making one and it does not come in time.
 */
export async function freshRound(ports: Needs, hold?: string): Promise<Round> {
  const { minWaitSeconds, rpcTimeoutSeconds } = ports.config.timers
  const owner = ports.ids.next()
  // A round reads boot time, list, counts and boot time again, and may correct drift: each is bounded by the RPC timeout.
  const giveUpAt = ports.clock.now() + rpcTimeoutSeconds * 6 * 1000
  for (;;) {
    const now = ports.clock.now()
    const latest = await ports.store.latestRound()
    if (latest && now - latest.startedAt <= minWaitSeconds * 1000 && knows(latest, hold)) return latest
    if (await ports.store.takeLease(leaseName, owner, now, now + rpcTimeoutSeconds * 6 * 1000)) {
      try {
        const round = await makeRound(ports)
        await ports.store.putRound(round)
        return round
      } finally {
        await ports.store.releaseLease(leaseName, owner)
      }
    }
    if (now >= giveUpAt)
      throw new RoundUnavailable(
        'another drain is making a round and it did not come in time; this step is tried again',
      )
    await ports.clock.sleep(250)
  }
}

function knows(round: Round, hold: string | undefined): boolean {
  return hold === undefined || round.holds.includes(hold)
}

async function makeRound(ports: Needs): Promise<Round> {
  const startedAt = ports.clock.now()
  const [edges, holds] = await Promise.all([ports.fleet.edges(), ports.store.holds()])
  const counted = holds.filter((hold) => !hold.lifted && hold.source !== 'retired')
  const instanceIds = counted.flatMap((hold) =>
    hold.subject.kind === 'instance' ? [hold.subject.instanceId] : [],
  )
  const [readings, mediaServers, goneInstances] = await Promise.all([
    onEveryEdge(edges, (edge) => readEdge(ports, edge, holds, counted)),
    countMediaServers(ports, counted),
    ports.instances.gone([...new Set(instanceIds)]),
  ])
  await correctDrift(ports, edges, readings, holds)
  const round = {
    id: ports.ids.next(),
    startedAt,
    finishedAt: ports.clock.now(),
    holds: holds.filter((hold) => !hold.lifted).map(holdKey),
    edges: readings,
    mediaServers,
    goneInstances,
  }
  countRound(ports, round, holds)
  return round
}

async function readEdge(
  ports: Needs,
  edge: Edge,
  holds: readonly Hold[],
  counted: readonly Hold[],
): Promise<EdgeReading> {
  const at = ports.clock.now()
  try {
    const before = await edge.boot()
    const listed = await edge.list()
    const calls = await Promise.all(
      counted.map(async (hold) => {
        return [holdKey(hold), await orUnknown(() => edge.count(callsOf(hold, listed)))] as const
      }),
    )
    const after = await edge.boot()
    if (after.bootTime !== before.bootTime)
      throw new EdgeError(edge.id, 'unreachable', 'it restarted while it was read')
    return {
      edge: edge.id,
      readable: true,
      at,
      bootTime: after.bootTime,
      uptimeSeconds: after.uptimeSeconds,
      restoresDialogs: edge.restoresDialogs,
      listSize: listed.length,
      listed: listed.filter((entry) => holds.some((hold) => entriesOf(hold, [entry]).length > 0)),
      calls: Object.fromEntries(calls),
    }
  } catch (error) {
    return { edge: edge.id, readable: false, at, reason: asEdgeError(error).message }
  }
}

/** Whose calls are those of a hold, on an edge with this list. */
export function callsOf(hold: Hold, listed: readonly ListedDestination[]): CallsOf {
  const named = [...new Set([...hold.uris, ...entriesOf(hold, listed).map((entry) => entry.uri)])]
  // What was taken out of the list before it was held may have calls yet: they are counted under its usual spellings.
  return { uris: named.length > 0 ? named : usualUris(hold.addresses), addresses: hold.addresses }
}

async function orUnknown<T>(read: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await read()
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

async function countMediaServers(ports: Needs, holds: readonly Hold[]): Promise<Round['mediaServers']> {
  const counts = await Promise.all(
    holds.map(async (hold) => {
      const server = { ...(hold.group !== undefined && { group: hold.group }), addresses: hold.addresses }
      return [holdKey(hold), await orUnknown(() => ports.mediaServers.activeCalls(server))] as const
    }),
  )
  return Object.fromEntries(
    counts.flatMap(([key, count]) => (count === undefined ? [] : [[key, count] as const])),
  )
}

/** Holds are the truth, edges are caches: what should be disabled is disabled again, what was lifted is given back. */
async function correctDrift(
  ports: Needs,
  edges: readonly Edge[],
  readings: readonly EdgeReading[],
  holds: readonly Hold[],
): Promise<void> {
  await onEveryEdge(edges, async (edge) => {
    const reading = readings.find((r) => r.edge === edge.id)
    if (!reading?.readable) return
    const open = reading.listed.filter((entry) => !isDisabled(entry) && holdsOn(entry, holds).length > 0)
    for (const hold of holds.filter((h) => !h.lifted && entriesOf(h, open).length > 0)) {
      const result = await disableOnEdge(ports, edge, hold)
      await undoIfLifted(ports, hold)
      ports.metrics.count(metricNames.drift, 1)
      await ports.events.publish({
        type: eventTypes.driftCorrected,
        detail: {
          edge: edge.id,
          hold: holdKey(hold),
          who: hold.who,
          why: hold.why,
          result: resultOf(result),
        },
      })
    }
  })
  const away = readings.filter((reading) => !reading.readable).map((reading) => reading.edge)
  for (const hold of holds.filter((h) => h.lifted)) await restore(ports, hold, away)
}

function resultOf({ outcome, detail, entries }: Awaited<ReturnType<typeof disableOnEdge>>) {
  return { outcome, ...(detail !== undefined && { detail }), entries }
}
