import { holdsToCount } from '../control/counting.ts'
import { RoundUnavailable } from '../control/errors.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import type { Round } from '../control/round.ts'
import { correctDrift } from './correct-drift.ts'
import { onEveryEdge } from './edges.ts'
import { allowance } from './paced.ts'
import type { Ports } from './ports.ts'
import { orUnknown, readEdge } from './read-edge.ts'
import { countRound } from './round-metrics.ts'

type Needs = Pick<
  Ports,
  'store' | 'clock' | 'ids' | 'fleet' | 'events' | 'metrics' | 'config' | 'mediaServers' | 'instances'
>

const leaseName = 'round'

/**
 * What a round may take, in RPC timeouts. Boot time, list, counts and boot time again are bounded by one each, and so is each
 * request of a correction: a round ends within its lease also where each answer comes at the last moment.
 */
const timeouts = { countUntil: 4, correctUntil: 6, lease: 10 } as const

/**
 * The latest round, if it ended no longer ago than the shortest wait and knows the hold (if one is named); otherwise a new one, made
 * by whoever needs it first: an edge's load does not grow with the number of drains. While somebody makes one, the latest will
 * do for others who find their hold in it: it says when it looked. Making one also corrects drift for every hold.
 * @throws RoundUnavailable when somebody else is making one and it does not come in time.
 */
export async function freshRound(ports: Needs, hold?: string): Promise<Round> {
  const { minWaitSeconds, rpcTimeoutSeconds } = ports.config.timers
  const leaseMs = rpcTimeoutSeconds * timeouts.lease * 1000
  const owner = ports.ids.next()
  const giveUpAt = ports.clock.now() + leaseMs
  for (;;) {
    const now = ports.clock.now()
    const latest = await ports.store.latestRound()
    const usable = (ageMs: number) =>
      latest && now - latest.finishedAt <= ageMs && knows(latest, hold) ? latest : undefined
    const fresh = usable(minWaitSeconds * 1000)
    if (fresh) return fresh
    if (await ports.store.takeLease(leaseName, owner, now, now + leaseMs)) {
      try {
        const round = await makeRound(ports, latest)
        await ports.store.putRound(round)
        return round
      } finally {
        await ports.store.releaseLease(leaseName, owner)
      }
    }
    const recent = usable(leaseMs)
    if (recent) return recent
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

async function makeRound(ports: Needs, before: Round | undefined): Promise<Round> {
  const startedAt = ports.clock.now()
  const after = (rpcs: number) => startedAt + rpcs * ports.config.timers.rpcTimeoutSeconds * 1000
  const [edges, holds] = await Promise.all([ports.fleet.edges(), ports.store.holds()])
  const counted = holds.filter((hold) => !hold.lifted && hold.source !== 'retired')
  const instanceIds = counted.flatMap((hold) =>
    hold.subject.kind === 'instance' ? [hold.subject.instanceId] : [],
  )
  const asked = {
    counted,
    due: holdsToCount(before, counted, startedAt, ports.config.timers),
    allowance: allowance(ports.fleet.requestsPerSecond, edges.length, after(timeouts.countUntil)),
  }
  const readBefore = new Map(before?.edges.map((reading) => [reading.edge, reading]))
  const [reads, mediaServers, goneInstances] = await Promise.all([
    onEveryEdge(edges, (edge) => readEdge(ports, edge, readBefore.get(edge.id), asked)),
    countMediaServers(ports, counted),
    ports.instances.gone([...new Set(instanceIds)]),
  ])
  await correctDrift(ports, reads, holds, after(timeouts.correctUntil))
  const round = {
    id: ports.ids.next(),
    startedAt,
    finishedAt: ports.clock.now(),
    holds: holds.filter((hold) => !hold.lifted).map(holdKey),
    edges: reads.map(({ reading }) => reading),
    mediaServers,
    goneInstances,
  }
  countRound(
    ports,
    round,
    holds,
    reads.map(({ load }) => load),
  )
  return round
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
