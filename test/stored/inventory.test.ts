import { describe, expect, test, vi } from 'vitest'
import { InventoryBusy } from '../../functions/control/errors.ts'
import {
  instanceById,
  instancesAt,
  instancesById,
  inventory,
  momentMs,
} from '../../functions/stored/inventory.ts'
import { present, some } from '../present.ts'
import { createWorld, facts, instanceId, minutes, seconds, type World } from '../world/world.ts'

const aMomentAgo = (world: World) => world.clock.now() - momentMs

/** When EC2 was asked, and for what; each answer takes 200 ms. */
function watching(world: World) {
  const asked: [what: string, at: number][] = []
  const { instances } = world.memory
  const { inGroups, byIds, byAddress } = instances
  const slow = async <T>(what: string, answer: () => Promise<T>) => {
    asked.push([what, world.age()])
    await world.clock.sleep(200)
    return answer()
  }
  Object.assign(instances, {
    inGroups: (groups: readonly string[]) => slow('groups', () => inGroups(groups)),
    byIds: (ids: readonly string[]) => slow(`ids ${ids.join(' ')}`, () => byIds(ids)),
    byAddress: (host: string) => slow(`address ${host}`, () => byAddress(host)),
  })
  return asked
}

/** A quiet world whose inventory is ten seconds old. */
async function quiet(more: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld(more)
  await world.settledAll()
  await world.pass(10 * seconds)
  return { world, asked: watching(world) }
}

describe('one reader at a time', () => {
  test('however many ask at once, EC2 is asked once', async () => {
    const { world, asked } = await quiet()
    const found = await Promise.all(
      Array.from({ length: 500 }, () => instanceById(world.ports, instanceId, aMomentAgo(world))),
    )
    expect(new Set(found.map((each) => present(each, 'instance').addresses[0]))).toEqual(
      new Set(['10.0.1.20']),
    )
    expect(asked).toEqual([['groups', 10 * seconds]])
  })

  test('EC2 is asked at most once a second', async () => {
    const { world, asked } = await quiet()
    for (let turn = 0; turn < 4; turn += 1) {
      await inventory(world.ports, world.clock.now())
      await world.pass(1)
    }
    expect(asked.map(([, at]) => at)).toEqual([10_000, 11_000, 12_000, 13_000])
  })

  test('what was shown a moment ago is not asked again', async () => {
    const { world, asked } = await quiet()
    await instanceById(world.ports, instanceId, aMomentAgo(world))
    await world.pass(4 * seconds)
    await instanceById(world.ports, instanceId, aMomentAgo(world))
    expect(asked).toHaveLength(1)
  })

  test('a reader that was killed is waited for no longer than its lease', async () => {
    const { world, asked } = await quiet()
    const now = world.clock.now()
    await world.memory.store.takeEdge('/inventory', 'killed', now, now + 10 * seconds)
    expect(await instanceById(world.ports, instanceId, aMomentAgo(world))).toMatchObject({ instanceId })
    expect(world.clock.now() - now).toBeLessThan(12 * seconds)
    expect(asked).toHaveLength(1)
  })

  test('a reader that gets no answer is waited for with an end, and a named error', async () => {
    const { world } = await quiet()
    const now = world.clock.now()
    await world.memory.store.takeEdge('/inventory', 'slow', now, now + 10 * minutes)
    await expect(instanceById(world.ports, instanceId, aMomentAgo(world))).rejects.toThrow(InventoryBusy)
    expect(world.clock.now() - now).toBeLessThan(13 * seconds)
  })

  test('a reader that is refused leaves the lease to the next', async () => {
    const { world, asked } = await quiet()
    world.memory.instances.failNext('inGroups', new Error('RequestLimitExceeded'))
    await expect(instanceById(world.ports, instanceId, aMomentAgo(world))).rejects.toThrow(
      'RequestLimitExceeded',
    )
    expect(await instanceById(world.ports, instanceId, aMomentAgo(world))).toMatchObject({ instanceId })
    expect(asked).toHaveLength(1)
  })

  test('a reader whose clock is behind the last one’s waits no longer than a second', async () => {
    const { world } = await quiet()
    const ahead = world.clock.now() + 30 * seconds
    await world.memory.store.putInventory({ askedAt: ahead, instances: [] })
    await inventory(world.ports, ahead + 1).catch(() => undefined)
    expect(world.age()).toBeLessThan(25 * seconds)
  })
})

describe('whom EC2 is asked for', () => {
  test('an instance of no group of ours is asked for by its id, in one request with others', async () => {
    const stranger = facts({ instanceId: 'i-0aaaaaaaaaaaaaaaa', group: 'somebody-elses' })
    const { group: _, ...loose } = facts({ instanceId: 'i-0bbbbbbbbbbbbbbbb' })
    const { world, asked } = await quiet({ instances: [facts(), stranger, loose] })
    const ids = [instanceId, stranger.instanceId, loose.instanceId, 'i-0cccccccccccccccc']
    const found = await instancesById(world.ports, ids, aMomentAgo(world))
    expect([...found.keys()].sort()).toEqual([stranger.instanceId, loose.instanceId, instanceId])
    expect(asked.map(([what]) => what)).toEqual(['groups', `ids ${ids.slice(1).join(' ')}`])
  })

  test('one that the inventory does not show yet is looked for anew before it is unknown', async () => {
    const { world, asked } = await quiet({ instances: [] })
    world.memory.instances.put(facts())
    const known = await instancesById(world.ports, [instanceId], world.clock.now() - 60 * seconds)
    expect([...known.keys()]).toEqual([instanceId])
    expect(asked.map(([what]) => what)).toEqual(['groups'])
  })

  test('an address is that of our instance, and of anybody else only where none of ours has it', async () => {
    const own = facts()
    const twin = facts({ instanceId: 'i-0aaaaaaaaaaaaaaaa', group: 'another-vpcs' })
    const other = facts({ instanceId: 'i-0bbbbbbbbbbbbbbbb', addresses: ['10.9.9.9'], group: 'another-vpcs' })
    const stopped = facts({ instanceId: 'i-0cccccccccccccccc', addresses: ['10.0.1.30'], state: 'stopped' })
    const { world, asked } = await quiet({ instances: [own, twin, other, stopped] })
    const idsAt = async (host: string) =>
      (await instancesAt(world.ports, host)).map((instance) => instance.instanceId)
    expect(await idsAt('10.0.1.20')).toEqual([instanceId])
    expect(await idsAt('10.9.9.9')).toEqual([other.instanceId])
    expect(await idsAt('10.0.1.30')).toEqual([])
    expect(asked.map(([what]) => what)).toEqual(['groups', 'address 10.9.9.9', 'address 10.0.1.30'])
  })
})

test('500 servers that scale in at once have EC2 asked twice at most, and all holds read by few of the runs', async () => {
  const instances = Array.from({ length: 500 }, (_, n) =>
    facts({ instanceId: `i-${n.toString(16).padStart(17, '0')}`, addresses: [`10.1.${n >> 8}.${n & 255}`] }),
  )
  const { world, asked } = await quiet({ instances })
  const holds = instances.map((instance) => ({
    ...{ source: 'lifecycle' as const, id: `${instance.instanceId}/drain-calls` },
    subject: { kind: 'instance' as const, instanceId: instance.instanceId, launchedAt: 0 },
    ...{ uris: [], addresses: [], wholeInstance: true },
    ...{ who: 'auto scaling', why: 'scale in', placedAt: world.clock.now(), order: '1' },
  }))
  for (const hold of holds) await world.memory.store.putHold(hold)
  await world.memory.store.raiseWanted()
  const reads = vi.spyOn(world.memory.store, 'holds')
  await Promise.all(Array.from({ length: 20 }, () => world.settle({ kind: 'settle' })))
  // Whoever has the lease of what is resolved, and of each edge; not every run.
  expect(reads.mock.calls.length).toBeLessThan(10)
  const resolved = await world.memory.store.holds()
  expect(some(resolved).every(({ addresses }) => addresses.length === 1)).toBe(true)
  expect(asked.length).toBeLessThanOrEqual(2)
})
