import { canonicalHost } from '../control/destination.ts'
import { InventoryBusy } from '../control/errors.ts'
import { type InstanceFacts, type Inventory, isGone, isUp } from '../control/instance-life.ts'
import type { Ports } from '../ports/ports.ts'
import { oneAtATime } from './one-at-a-time.ts'

export type InventoryNeeds = Pick<Ports, 'store' | 'clock' | 'ids' | 'config' | 'instances'>

const leaseName = '/inventory'
/**
 * EC2 answers 1,000 instances a page, within a second or two. When it takes longer, another run asks it, too:
 * what was asked last stays.
 */
const leaseMs = 10_000
/** At most once a second, however many ask. */
const restMs = 1000
/**
 * Whoever finds that another one asks EC2 waits so long for what it is told: until one that was killed, or
 * takes long, has lost its lease.
 */
const patienceMs = 12_000

/**
 * The instances of our groups, asked of EC2 at `notBefore` (epoch ms) or later. While EC2 answers as usual,
 * one at a time asks, at most once a second: EC2 lets 20 requests a second through, and 500 servers may be
 * launched, or go, at once.
 * @throws InventoryBusy when another one asks, and gets no answer; what EC2 answers
 */
export async function inventory(ports: InventoryNeeds, notBefore: number): Promise<Inventory> {
  const { store, clock } = ports
  const giveUpAt = clock.now() + patienceMs
  for (let waitMs = 50; ; waitMs = Math.min(500, waitMs * 2)) {
    const askedAt = await store.inventoryAskedAt()
    if (askedAt !== undefined && askedAt >= notBefore) {
      const known = await store.inventory()
      if (known) return known
    }
    const shown = await oneAtATime(ports, leaseName, leaseMs, () => read(ports, notBefore))
    if (shown) return shown
    if (clock.now() >= giveUpAt)
      throw new InventoryBusy(`another function has asked EC2 for our instances for ${patienceMs / 1000} s`)
    await clock.sleep(waitMs)
  }
}

async function read(ports: InventoryNeeds, notBefore: number): Promise<Inventory | undefined> {
  const { store, clock, config, instances } = ports
  const before = (await store.inventoryAskedAt()) ?? 0
  if (before >= notBefore) return store.inventory()
  // A clock that is behind the last reader's does not wait for it.
  const restsFor = Math.min(restMs, before + restMs - clock.now())
  if (restsFor > 0) await clock.sleep(restsFor)
  const askedAt = clock.now()
  const shown = { askedAt, instances: await instances.inGroups(config.groups.map(({ name }) => name)) }
  await store.putInventory(shown)
  return shown
}

/**
 * What EC2 showed so long ago will do where nothing is concluded from it that a machine which goes this
 * moment would make wrong.
 */
export const momentMs = 5000

/**
 * What EC2 shows of these instances, whether of our groups or not.
 * @param notBefore epoch ms
 * @returns by id; not there: EC2 knows no such instance, now
 */
export async function instancesById(
  ports: InventoryNeeds,
  instanceIds: readonly string[],
  notBefore: number,
): Promise<ReadonlyMap<string, InstanceFacts>> {
  if (instanceIds.length === 0) return new Map()
  const wanted = new Set(instanceIds)
  const { askedAt, instances } = await inventory(ports, notBefore)
  const known = new Map<string, InstanceFacts>()
  const add = (found: readonly InstanceFacts[]) => {
    for (const facts of found) if (wanted.has(facts.instanceId)) known.set(facts.instanceId, facts)
  }
  add(instances)
  const isOld = askedAt < ports.clock.now() - momentMs
  // Launched since, it may be in one of our groups all the same.
  if (isOld && known.size < wanted.size) add((await inventory(ports, ports.clock.now() - momentMs)).instances)
  const others = [...wanted].filter((id) => !known.has(id))
  if (others.length > 0) add(await ports.instances.byIds(others))
  return known
}

/** What EC2 shows of one instance; undefined: it knows none, now. @param notBefore epoch ms */
export async function instanceById(
  ports: InventoryNeeds,
  instanceId: string,
  notBefore: number,
): Promise<InstanceFacts | undefined> {
  return (await instancesById(ports, [instanceId], notBefore)).get(instanceId)
}

/** Whether EC2 shows now that an instance is gone, which somebody spoke of at `since` (epoch ms). */
export async function isInstanceGone(
  ports: InventoryNeeds,
  instanceId: string,
  since: number,
): Promise<boolean> {
  const now = ports.clock.now()
  return isGone(await instanceById(ports, instanceId, now), since, now)
}

/**
 * The running or pending instances with this address: of our groups, or else, as two VPCs may use the same,
 * of whoever has it.
 */
export async function instancesAt(ports: InventoryNeeds, host: string): Promise<readonly InstanceFacts[]> {
  const address = canonicalHost(host) ?? host
  const { instances } = await inventory(ports, ports.clock.now() - momentMs)
  const ours = instances.filter((facts) => isUp(facts) && facts.addresses.includes(address))
  return ours.length > 0 ? ours : ports.instances.byAddress(host)
}

/** What EC2 shows, where it can be told: the next settle asks EC2, too, and fails of it. */
export async function unlessRefused<T>(asked: Promise<T>): Promise<T | 'refused'> {
  try {
    return await asked
  } catch {
    return 'refused'
  }
}
