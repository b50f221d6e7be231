import { describe, expect, test } from 'vitest'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import type { HoldReading, Listing, MachinesReading, Reading } from '../../functions/control/reading.ts'
import type { Store } from '../../functions/ports/store.ts'
import { aHead, aListing, aReading, uri } from './store-samples.ts'

async function taken(store: Store, edge: string, now = 0, until = 1000): Promise<number> {
  const generation = await store.takeEdge(edge, 'a', now, until)
  if (generation === undefined) throw new Error('somebody else has it')
  return generation
}
const storedHeadOf = async (store: Store, edge: string) =>
  (await store.edgeHeads()).filter((head) => head.edge === edge)
const headOf = async (store: Store, edge: string) =>
  (await storedHeadOf(store, edge)).map(({ leasedUntil: _, ...head }) => head)

const notRead = (edge: string) => ({
  ...{ edge, wanted: -1, askedAt: 0 },
  unreadable: { since: 0, at: 0, reason: 'it was not read yet', passes: true },
})

/** What was read of edges and machines, as every store must keep it. */
export function readingsContract(open: () => Store, fresh: (name: string) => string): void {
  describe('what is known of an edge', () => {
    test('a head is added only once, and never where a reading wrote one', async () => {
      const store = open()
      const [edge, read] = [fresh('edge'), fresh('edge')]
      expect(await headOf(store, edge)).toEqual([])
      const bare = { edge, wanted: -1, askedAt: 0 }
      await store.addEdgeHead(bare)
      await store.addEdgeHead(aHead(edge))
      expect(await headOf(store, edge)).toEqual([bare])
      await store.putReading(await taken(store, read), { head: aHead(read) })
      await store.addEdgeHead({ ...bare, edge: read })
      expect(await headOf(store, read)).toEqual([aHead(read)])
    })
    test('one that was taken and never read is known, as not read yet, whoever adds it', async () => {
      const store = open()
      const edge = fresh('edge')
      await taken(store, edge)
      await store.addEdgeHead(aHead(edge))
      expect(await headOf(store, edge)).toEqual([notRead(edge)])
    })
    test('until when somebody has its lease is known with it', async () => {
      const store = open()
      const edge = fresh('edge')
      await store.addEdgeHead(aHead(edge))
      expect(await storedHeadOf(store, edge)).toEqual([aHead(edge)])
      const generation = await taken(store, edge, 0, 1000)
      expect(await storedHeadOf(store, edge)).toEqual([{ ...aHead(edge), leasedUntil: 1000 }])
      await store.extendEdge(edge, generation, 2000)
      await store.putReading(generation, { head: aHead(edge, { wanted: 9 }) })
      expect(await storedHeadOf(store, edge)).toEqual([{ ...aHead(edge, { wanted: 9 }), leasedUntil: 2000 }])
      await store.giveUpEdge(edge, generation, 0)
      expect(await storedHeadOf(store, edge)).toEqual([aHead(edge, { wanted: 9 })])
    })
    test('what has a lease and is no edge is none', async () => {
      const store = open()
      const name = `/${fresh('work')}`
      await taken(store, name)
      expect(await headOf(store, name)).toEqual([])
    })
  })

  describe('a reading', () => {
    test('comes back with every field, and without the optional ones too', async () => {
      const store = open()
      const edge = fresh('edge')
      expect(await store.reading(edge)).toBe(undefined)
      expect(await store.listing(edge)).toBe(undefined)
      const generation = await taken(store, edge)
      const found = { head: aHead(edge), reading: aReading(edge), listing: aListing(edge) }
      expect(await store.putReading(generation, found)).toBe('written')
      expect(await headOf(store, edge)).toEqual([found.head])
      expect(await store.reading(edge)).toEqual(found.reading)
      expect(await store.listing(edge)).toEqual(found.listing)

      const { guarded: _guarded, problem: _problem, ended: _ended, ...bare } = aReading(edge)
      const reading: Reading = { ...bare, load: { calls: undefined } }
      const { unreadable: _unreadable, removedAt: _removedAt, ...head } = aHead(edge)
      await store.putReading(generation, { head, reading })
      expect(await headOf(store, edge)).toEqual([head])
      expect(await store.reading(edge)).toEqual(reading)
    })
    test('what it does not come with stays as it was: an edge that can not be read has its last reading', async () => {
      const store = open()
      const edge = fresh('edge')
      const generation = await taken(store, edge)
      const found = { head: aHead(edge), reading: aReading(edge), listing: aListing(edge) }
      await store.putReading(generation, found)
      const head = aHead(edge, { unreadable: { since: 1, at: 2, reason: 'refused', passes: false } })
      expect(await store.putReading(generation, { head })).toBe('written')
      expect(await headOf(store, edge)).toEqual([head])
      expect(await store.reading(edge)).toEqual(found.reading)
      expect(await store.listing(edge)).toEqual(found.listing)
    })
    test("is written only under the lease's generation: head, reading and listing all or none", async () => {
      const store = open()
      const edge = fresh('edge')
      const found = { head: aHead(edge), reading: aReading(edge), listing: aListing(edge) }
      expect(await store.putReading(1, found)).toBe('lost')
      const first = await taken(store, edge)
      const raised = (await store.raiseGeneration(edge, first, 40)) ?? 0
      expect(await store.putReading(first, found)).toBe('lost')
      const second = await taken(store, edge, 1000, 2000)
      expect(await store.putReading(raised, found)).toBe('lost')
      expect(await store.putReading(raised, { head: found.head })).toBe('lost')
      expect(await headOf(store, edge)).toEqual([notRead(edge)])
      expect(await store.reading(edge)).toBe(undefined)
      expect(await store.listing(edge)).toBe(undefined)
      expect(await store.putReading(second, found)).toBe('written')
      expect(await headOf(store, edge)).toEqual([found.head])
      expect(await store.reading(edge)).toEqual(found.reading)
      expect(await store.listing(edge)).toEqual(found.listing)
    })
    test('of one edge leaves another alone', async () => {
      const store = open()
      const [edge, other] = [fresh('edge'), fresh('edge')]
      await store.putReading(await taken(store, edge), { head: aHead(edge), reading: aReading(edge) })
      const generation = await taken(store, other)
      await store.putReading(generation, { head: aHead(other, { wanted: 9 }), listing: aListing(other) })
      expect(await headOf(store, edge)).toEqual([aHead(edge)])
      expect(await store.reading(edge)).toEqual(aReading(edge))
      expect(await store.listing(edge)).toBe(undefined)
      expect(await store.reading(other)).toBe(undefined)
    })
    test('is nobody else’s object', async () => {
      const store = open()
      const edge = fresh('edge')
      const holds: Record<string, HoldReading> = { ...aReading(edge).holds }
      const generation = await taken(store, edge)
      await store.putReading(generation, { head: aHead(edge), reading: aReading(edge, { holds }) })
      delete holds['lifecycle/a']
      expect(await store.reading(edge)).toEqual(aReading(edge))
    })
    test('of 500 holds with counts, and a list of 1,000 entries, comes back the same', async () => {
      const store = open()
      const edge = fresh('edge')
      const generation = await taken(store, edge)
      const found = { head: aHead(edge), reading: largeReading(edge), listing: largeListing(edge) }
      expect(await store.putReading(generation, found)).toBe('written')
      expect(await store.reading(edge)).toEqual(found.reading)
      expect(await store.listing(edge)).toEqual(found.listing)
    })
  })

  test('an inventory that was asked earlier does not replace one that was asked later', async () => {
    const store = open()
    const facts: InstanceFacts = {
      instanceId: 'i-0a1b2c3d4e5f60718',
      launchedAt: 1_795_000_000_000,
      state: 'shutting-down',
      addresses: ['10.0.1.20', '2001:db8::20'],
      taggedDestinations: ['sip:a.example'],
      group: 'media-servers',
    }
    const { group: _, ...stranger } = { ...facts, instanceId: 'i-1' }
    await store.putInventory({ askedAt: 2000, instances: [facts, stranger] })
    await store.putInventory({ askedAt: 1999, instances: [] })
    expect(await store.inventory()).toEqual({ askedAt: 2000, instances: [facts, stranger] })
    expect(await store.inventoryAskedAt()).toBe(2000)
    await store.putInventory({ askedAt: 2000, instances: [] })
    expect(await store.inventory()).toEqual({ askedAt: 2000, instances: [] })
  })

  test('machines that were asked earlier do not replace those asked later; asked at the same time they do', async () => {
    const store = open()
    expect(await store.machines()).toBe(undefined)
    const machines = (askedAt: number, gone: string[]): MachinesReading => ({
      askedAt,
      answeredAt: askedAt + 5000,
      gone,
      calls: { 'lifecycle/a': 3, 'lifecycle/b': { unknown: 'timeout' } },
    })
    await store.putMachines(machines(2000, ['i-1']))
    expect(await store.machines()).toEqual(machines(2000, ['i-1']))
    await store.putMachines(machines(1999, ['i-2']))
    expect(await store.machines()).toEqual(machines(2000, ['i-1']))
    await store.putMachines(machines(2000, ['i-3']))
    expect(await store.machines()).toEqual(machines(2000, ['i-3']))
    await store.putMachines(machines(2001, []))
    expect(await store.machines()).toEqual(machines(2001, []))
  })
}

const address = (n: number) => `10.0.${n >> 8}.${n & 255}`

function largeReading(edge: string): Reading {
  const holds = Array.from({ length: 500 }, (_, n): [string, HoldReading] => [
    `lifecycle/i-0a1b2c3d4e5f6${String(n).padStart(4, '0')}/drain`,
    {
      flags: 'disabled',
      others: [uri(`sip:${address(n)}`)],
      counted: {
        count: { calls: n % 90, source: 'profile', outbound: true, begun: n * 37 },
        at: 1_795_000_000_000 + n * 40,
        readBy: 1_795_000_000_030 + n * 41,
      },
    },
  ])
  return aReading(edge, {
    holds: Object.fromEntries(holds),
    entries: Array.from({ length: 500 }, (_, n) => ({
      set: 1,
      uri: uri(`sip:${address(n)}:5060`),
      iuid: `17950000${n}`,
      before: 'DP',
      after: 'DP',
      since: 1_795_000_000_000 + n * 40,
    })),
  })
}

function largeListing(edge: string): Listing {
  return aListing(edge, {
    listed: Array.from({ length: 1000 }, (_, n) => ({
      set: 1 + (n & 1),
      uri: uri(`sip:${address(n)}:5060`),
      flags: n % 3 === 0 ? 'DX' : 'AP',
      iuid: `17950000${n}`,
    })),
    former: Array.from({ length: 1000 }, (_, n) => ({
      uri: uri(`sip:${address(n + 1000)}:5060`),
      at: 1_795_000_000_000 - n * 977,
    })),
  })
}
