import { holdsToCount } from '../control/counting.ts'
import { RoundUnavailable } from '../control/errors.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { remember } from '../control/list-memory.ts'
import { type Round, removedSince, type Unknown } from '../control/round.ts'
import { onEveryEdge } from './edges.ts'
import { allowance } from './paced.ts'
import type { Ports } from './ports.ts'
import { publishDrift } from './publish-drift.ts'
import { countOnEdge, type EdgeRead, openEdge } from './read-edge.ts'
import { countRound } from './round-metrics.ts'

type Needs = Pick<
  Ports,
  'store' | 'clock' | 'ids' | 'fleet' | 'events' | 'metrics' | 'config' | 'mediaServers' | 'instances'
>

const leaseName = 'round'

/**
 * What a round may take, in RPC timeouts from its start. An edge answers with its facts by 2 (3 where it restarted into our files), and is
 * settled by 9 where every answer comes at the last moment. A count begun by 10 takes five (counters, profiles, and without profiles
 * DLGLOAD, the edge's total, its boot time), and then comes the boot time again.
 */
const timeouts = { countUntil: 10, lease: 16 } as const

/**
 * The latest round, if it ended no longer ago than the shortest wait and knows the hold (if one is named); otherwise a new one, made
 * by whoever needs it first: an edge's load does not grow with the number of drains. While somebody makes one, the latest will
 * do for others who find their hold in it: it says when it looked. Making one also corrects drift for every hold.
 * @param notBefore epoch ms: a round that began earlier will not do
 * @throws RoundUnavailable when somebody else is making one and it does not come in time.
 */
export async function freshRound(
  ports: Needs,
  hold?: string,
  notBefore = Number.NEGATIVE_INFINITY,
): Promise<Round> {
  const { minWaitSeconds, rpcTimeoutSeconds } = ports.config.timers
  const leaseMs = rpcTimeoutSeconds * timeouts.lease * 1000
  const owner = ports.ids.next()
  const answers = (round: Round) =>
    round.startedAt >= notBefore && (hold === undefined || round.holds.includes(hold))
  const giveUpAt = ports.clock.now() + leaseMs
  for (;;) {
    const now = ports.clock.now()
    const latest = await ports.store.latestRound()
    const usable = (ageMs: number) =>
      latest && now - latest.finishedAt <= ageMs && answers(latest) ? latest : undefined
    const fresh = usable(minWaitSeconds * 1000)
    if (fresh) return fresh
    if (await ports.store.takeLease(leaseName, owner, now, now + leaseMs)) {
      try {
        // Somebody may have made one since it was read: what that counted is carried on.
        const before = await ports.store.latestRound()
        if (before && before.id !== latest?.id && answers(before)) return before
        const round = await makeRound(ports, before)
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

async function makeRound(ports: Needs, before: Round | undefined): Promise<Round> {
  const startedAt = ports.clock.now()
  const after = (rpcs: number) => startedAt + rpcs * ports.config.timers.rpcTimeoutSeconds * 1000
  const since = await ports.store.wanted()
  const [edges, holds] = await Promise.all([ports.fleet.edges(), ports.store.holds()])
  const counted = holds.filter((hold) => !hold.lifted && hold.source !== 'retired')
  const instanceIds = counted.flatMap((hold) =>
    hold.subject.kind === 'instance' ? [hold.subject.instanceId] : [],
  )
  const share = (until: number) => allowance(ports.fleet.requestsPerSecond, edges.length, after(until))
  const asked = {
    counted,
    due: holdsToCount(before, counted, startedAt, ports.config.timers),
    allowance: share(timeouts.countUntil),
  }
  const readBefore = new Map(before?.edges.map((reading) => [reading.edge, reading]))
  const readEdges = async () => {
    const opened = await onEveryEdge(edges, (edge) => openEdge(ports, edge, since))
    const away = opened.flatMap((one) => ('reading' in one ? [one.reading.edge] : []))
    const listed = opened.flatMap((one) => ('listed' in one ? one.listed : []))
    const memory = remember(before?.memory, listed, startedAt, {
      longestCallSeconds: ports.config.timers.longestCallSeconds,
      complete: away.length === 0,
    })
    // A slow edge keeps no other waiting.
    const reads = await Promise.all(
      opened.map(async (one): Promise<EdgeRead> => {
        if ('reading' in one) return one
        await publishDrift(ports, one, holds)
        return countOnEdge(ports, one, readBefore.get(one.edge.id), { ...asked, memory })
      }),
    )
    return { reads, memory }
  }
  const asking = [
    readEdges(),
    countMediaServers(ports, counted),
    ports.instances.gone([...new Set(instanceIds)]),
  ] as const
  // One that fails ends the round when none of the others is at work any more.
  await Promise.allSettled(asking)
  const [{ reads, memory }, mediaServers, goneInstances] = await Promise.all(asking)
  const { longestCallSeconds } = ports.config.timers
  const ids = edges.map(({ id }) => id)
  const removed = removedSince(before, ids, startedAt, longestCallSeconds)
  const round: Round = {
    id: ports.ids.next(),
    startedAt,
    finishedAt: ports.clock.now(),
    holds: holds.filter((hold) => !hold.lifted).map(holdKey),
    edges: reads.map(({ reading }) => reading),
    mediaServers,
    goneInstances,
    memory,
    ...(removed.length > 0 && { removed }),
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
      return [holdKey(hold), await ownCount(ports, server)] as const
    }),
  )
  return Object.fromEntries(
    counts.flatMap(([key, count]) => (count === undefined ? [] : [[key, count] as const])),
  )
}

async function ownCount(
  { mediaServers }: Pick<Ports, 'mediaServers'>,
  server: Parameters<Ports['mediaServers']['activeCalls']>[0],
): Promise<number | undefined | Unknown> {
  try {
    return await mediaServers.activeCalls(server)
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}
