import { type Hold, holdKey } from '../control/hold.ts'
import { clocksApartMs } from '../control/observation.ts'
import type { MachinesReading, Unknown } from '../control/reading.ts'
import { onEach } from './on-each.ts'
import type { EdgePorts } from './ports.ts'

type Needs = Pick<EdgePorts, 'store' | 'clock' | 'ids' | 'config' | 'instances' | 'mediaServers'>

const leaseName = '/machines'
/** In RPC timeouts. */
const leaseTimeouts = 10

/**
 * Asks EC2 which held instances are gone, and the media servers for their own counts. One run at a time, and not again within the
 * shortest wait: however many look, a media server is asked as often as by one.
 * @param notBefore epoch ms: what was asked earlier will not do
 */
export async function readMachines(ports: Needs, notBefore: number): Promise<void> {
  const { store, clock, ids, config } = ports
  const { rpcTimeoutSeconds, minWaitSeconds } = config.timers
  const now = clock.now()
  const until = now + leaseTimeouts * rpcTimeoutSeconds * 1000
  const generation = await store.takeEdge(leaseName, ids.next(), now, until)
  if (generation === undefined) return
  try {
    const before = await store.machines()
    if (before && before.askedAt >= notBefore) return
    const restsUntil = Math.max(
      (before?.askedAt ?? 0) + minWaitSeconds * 1000,
      Math.min(notBefore, now + clocksApartMs),
    )
    if (clock.now() < restsUntil) await clock.sleep(restsUntil - clock.now())
    const askedAt = clock.now()
    const holds = (await store.holds()).filter(({ source }) => source !== 'retired')
    const held = holds.flatMap(({ subject }) => (subject.kind === 'instance' ? [subject.instanceId] : []))
    const calls = await countMediaServers(ports, holds)
    const gone = await ports.instances.gone([...new Set(held)])
    await store.putMachines({ askedAt, answeredAt: clock.now(), gone, calls })
  } finally {
    await store.giveUpEdge(leaseName, generation, 0)
  }
}

async function countMediaServers(ports: Needs, holds: readonly Hold[]): Promise<MachinesReading['calls']> {
  const counts = await onEach(holds, async (hold) => {
    const server = { ...(hold.group !== undefined && { group: hold.group }), addresses: hold.addresses }
    return [holdKey(hold), await ownCount(ports, server)] as const
  })
  return Object.fromEntries(
    counts.flatMap(([key, count]) => (count === undefined ? [] : [[key, count] as const])),
  )
}

async function ownCount(
  { mediaServers }: Pick<EdgePorts, 'mediaServers'>,
  server: Parameters<EdgePorts['mediaServers']['activeCalls']>[0],
): Promise<number | undefined | Unknown> {
  try {
    return await mediaServers.activeCalls(server)
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}
