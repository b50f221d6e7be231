import { describe, expect, test } from 'vitest'
import type { EdgeRecord } from '../../functions/control/entry-record.ts'
import type { Store } from '../../functions/ports/store.ts'
import { uri } from './store-samples.ts'

const records: readonly EdgeRecord[] = [
  {
    kind: 'entry',
    set: 1,
    uri: uri('sip:10.0.1.20:5060'),
    duid: 'x1',
    flags: 'AP',
    identity: '1795000000-1 a',
    sent: 7,
    calmSince: 1_795_000_000_000,
  },
  { kind: 'entry', set: 1, uri: uri('sip:10.0.1.20:5060'), flags: 'DX', identity: '' },
  { kind: 'guard', uri: uri('sip:10.0.1.20:5060'), calmSince: 1_795_000_000_001 },
  { kind: 'guard', uri: uri('sip:10.0.1.21') },
]

/** What is on record of edges, and who may write it, as every store must keep it. */
export function edgesContract(open: () => Store, fresh: (name: string) => string): void {
  describe('changes of what is wanted', () => {
    test('each of many raisings at once counts', async () => {
      const store = open()
      const before = await store.wanted()
      const raised = await Promise.all(Array.from({ length: 12 }, () => store.raiseWanted()))
      expect(raised.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => before + n + 1))
      expect(await store.wanted()).toBe(before + 12)
    })
  })

  describe('the lease of an edge', () => {
    const taken = async (store: Store, edge: string, now = 0, until = 1000) => {
      const generation = await store.takeEdge(edge, 'a', now, until)
      if (generation === undefined) throw new Error('somebody else has it')
      return generation
    }

    test('of many that want it at once, one gets it; the lease of another edge is another', async () => {
      const store = open()
      const edge = fresh('edge')
      const wanting = Array.from({ length: 12 }, (_, n) => store.takeEdge(edge, `${n}`, 0, 1000))
      const got = (await Promise.all(wanting)).filter((generation) => generation !== undefined)
      expect(got).toHaveLength(1)
      expect(await store.takeEdge(fresh('edge'), 'x', 0, 1000)).toBeDefined()
    })
    test('nobody gets it before it ends or is given up, its owner neither; each time its generation is higher', async () => {
      const store = open()
      const edge = fresh('edge')
      const first = await taken(store, edge)
      expect(await store.takeEdge(edge, 'b', 999, 2000)).toBe(undefined)
      expect(await store.takeEdge(edge, 'a', 999, 2000)).toBe(undefined)
      await store.giveUpEdge(edge, first, 0)
      const second = await taken(store, edge, 500, 1500)
      const third = await taken(store, edge, 1500, 2500)
      expect(second).toBeGreaterThan(first)
      expect(third).toBeGreaterThan(second)
    })
    test('giving up what is lost takes it from nobody', async () => {
      const store = open()
      const edge = fresh('edge')
      const first = await taken(store, edge)
      await taken(store, edge, 1000, 2000)
      await store.giveUpEdge(edge, first, 0)
      expect(await store.takeEdge(edge, 'c', 1500, 2500)).toBe(undefined)
      expect(await store.takeEdge(edge, 'c', 2000, 3000)).toBeDefined()
    })
    test('what is given up may be kept from others for a while yet', async () => {
      const store = open()
      const edge = fresh('edge')
      const first = await taken(store, edge)
      await store.giveUpEdge(edge, first, 700)
      expect(await store.takeEdge(edge, 'b', 699, 2000)).toBe(undefined)
      expect(await store.takeEdge(edge, 'b', 700, 2000)).toBeGreaterThan(first)
    })
    test('a raised generation is above what the edge has seen, under the same lease, and those after it are higher', async () => {
      const store = open()
      const edge = fresh('edge')
      const first = await taken(store, edge)
      const raised = await store.raiseGeneration(edge, first, 40)
      expect(raised).toBeGreaterThan(40)
      expect(await store.takeEdge(edge, 'b', 999, 2000)).toBe(undefined)
      expect(await store.takeEdge(edge, 'b', 1000, 2000)).toBeGreaterThan(raised ?? 0)
    })
    test('a lease that is lost is raised by nobody', async () => {
      const store = open()
      const edge = fresh('edge')
      const first = await taken(store, edge)
      const second = await taken(store, edge, 1000, 2000)
      expect(await store.raiseGeneration(edge, first, 40)).toBe(undefined)
      expect(await store.raiseGeneration(fresh('edge'), 1, 40)).toBe(undefined)
      expect(await store.putEdgeRecords(edge, second, [])).toBe('written')
    })
  })

  describe('what is on record of an edge', () => {
    test('records come back with every field, and replace those before them', async () => {
      const store = open()
      const edge = fresh('edge')
      expect(await store.edgeRecords(edge)).toBe(undefined)
      const generation = (await store.takeEdge(edge, 'a', 0, 1000)) ?? 0
      expect(await store.putEdgeRecords(edge, generation, records)).toBe('written')
      expect(await store.edgeRecords(edge)).toEqual(records)
      expect(await store.putEdgeRecords(edge, generation, records.slice(1, 2))).toBe('written')
      expect(await store.edgeRecords(edge)).toEqual(records.slice(1, 2))
      await store.putEdgeRecords(edge, generation, [])
      expect(await store.edgeRecords(edge)).toEqual([])
    })
    test('only under the generation of the lease is anything written', async () => {
      const store = open()
      const edge = fresh('edge')
      expect(await store.putEdgeRecords(edge, 1, records)).toBe('lost')
      const first = (await store.takeEdge(edge, 'a', 0, 1000)) ?? 0
      const raised = (await store.raiseGeneration(edge, first, 40)) ?? 0
      expect(await store.putEdgeRecords(edge, first, records)).toBe('lost')
      expect(await store.putEdgeRecords(edge, raised, records.slice(2))).toBe('written')
      const second = (await store.takeEdge(edge, 'b', 1000, 2000)) ?? 0
      expect(await store.putEdgeRecords(edge, raised, records)).toBe('lost')
      expect(await store.edgeRecords(edge)).toEqual(records.slice(2))
      expect(await store.putEdgeRecords(edge, second, records)).toBe('written')
    })
    test('500 drains in two sets fit', async () => {
      const store = open()
      const edge = fresh('edge')
      const many = Array.from({ length: 500 }, (_, n) => uri(`sip:10.${n >> 8}.0.${n & 255}:5060`)).flatMap(
        (one): EdgeRecord[] => [
          { kind: 'guard', uri: one },
          ...[1, 2].map((set) => ({
            kind: 'entry' as const,
            set,
            uri: one,
            flags: 'AP' as const,
            identity: `b ${set}`,
          })),
        ],
      )
      const generation = (await store.takeEdge(edge, 'a', 0, 1000)) ?? 0
      expect(await store.putEdgeRecords(edge, generation, many)).toBe('written')
      expect(await store.edgeRecords(edge)).toEqual(many)
    })
  })
}
