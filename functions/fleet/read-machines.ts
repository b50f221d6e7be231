import { type Hold, holdKey } from '../control/hold.ts'
import { isGone } from '../control/instance-life.ts'
import { clocksApartMs } from '../control/observation.ts'
import type { MachinesReading, Unknown } from '../control/reading.ts'
import { readable } from '../control/reading.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { instancesById, inventory } from '../stored/inventory.ts'
import { onEach } from '../stored/on-each.ts'
import { oneAtATime } from '../stored/one-at-a-time.ts'
import { longestNapMs } from './settle-fleet.ts'

type Needs = Pick<EdgePorts, 'store' | 'clock' | 'ids' | 'config' | 'instances' | 'mediaServers'>

const leaseName = '/machines'
/**
 * That a machine is gone may be known so late: EC2 is asked by each minute's settle, and not by each look.
 */
const soonEnoughMs = 50_000
/** In RPC timeouts. */
const leaseTimeouts = 10

/**
 * Asks EC2 which held instances are gone, and the media servers for their own counts. One run at a time, and
 * not again within the shortest wait: however many look, a media server is asked as often as by one.
 * @param notBefore epoch ms: what was asked earlier will not do
 */
export async function readMachines(ports: Needs, notBefore: number): Promise<void> {
  const leaseMs = leaseTimeouts * ports.config.timers.rpcTimeoutSeconds * 1000
  await oneAtATime(ports, leaseName, leaseMs, () => read(ports, notBefore))
}

async function read(ports: Needs, notBefore: number): Promise<void> {
  const { store, clock, config } = ports
  const before = readable(await store.machines())
  if (before && before.askedAt >= notBefore) return
  const restsUntil = Math.max(
    (before?.askedAt ?? 0) + config.timers.minWaitSeconds * 1000,
    Math.min(notBefore, clock.now() + clocksApartMs),
  )
  const napMs = restsUntil - clock.now()
  if (napMs > longestNapMs) return
  if (napMs > 0) await clock.sleep(napMs)
  const askedAt = clock.now()
  const holds = (await store.holds()).filter(({ source }) => source !== 'retired')
  const calls = await countMediaServers(ports, holds)
  // An EC2 that does not answer keeps nobody's calls from being known.
  const [gone] = await Promise.allSettled([goneOf(ports, holds, notBefore)])
  const known = gone.status === 'fulfilled' ? gone.value : (before?.gone ?? [])
  await store.putMachines({ askedAt, answeredAt: clock.now(), gone: known, calls })
  if (gone.status === 'rejected') throw gone.reason
}

/** @returns ids of held machines that EC2 shows as gone, or has never shown for minutes */
async function goneOf(ports: Needs, holds: readonly Hold[], notBefore: number): Promise<string[]> {
  const placed = new Map(
    holds.flatMap(({ subject, placedAt, addresses }) =>
      subject.kind === 'instance' ? [[subject.instanceId, { placedAt, addresses }] as const] : [],
    ),
  )
  const now = ports.clock.now()
  const soonEnough = Math.min(notBefore, now) - soonEnoughMs
  // Also while nothing is held: what is held next is known then, whether EC2 answers or not.
  await inventory(ports, soonEnough)
  const facts = await instancesById(ports, [...placed.keys()], soonEnough)
  return [...placed].flatMap(([id, { placedAt, addresses }]) => {
    const shown = facts.get(id)
    // One that was shown before stays in sight for an hour after its end: that it is missing once proves
    // nothing.
    if (!shown && addresses.length > 0) return []
    return isGone(shown, placedAt, now) ? [id] : []
  })
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
