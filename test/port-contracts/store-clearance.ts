import { describe, expect, test, vi } from 'vitest'
import type { WaitingDrain } from '../../functions/control/clearance.ts'
import type { ChosenHold } from '../../functions/control/drain.ts'
import type { Freeze } from '../../functions/control/freeze.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { askClearance } from '../../functions/intake/ask-clearance.ts'
import { clearDrains } from '../../functions/intake/clear-drains.ts'
import type { Ports } from '../../functions/ports/ports.ts'
import type { Store } from '../../functions/ports/store.ts'
import { createClock } from '../../functions/runtime/clock.ts'
import { keepingEvents } from '../../functions/stored/keep-events.ts'
import { memoryPorts } from '../memory/ports.ts'
import { some } from '../present.ts'
import { aHead, aHold, aKeptEvent, aListing, aReading, uri } from './store-samples.ts'

function aWaiting(id: string, change: Partial<ChosenHold> = {}): WaitingDrain {
  const { shownAt: _, ...hold } = aHold(id)
  return {
    hold: { ...hold, source: 'operator', until: 1_795_000_600_000, force: 'it burns', order: '2', ...change },
    since: 1_795_000_000_000,
    beginsAt: 1_795_000_000_000,
  }
}
const drop = async (store: Store, waiting: WaitingDrain) => {
  const event = aKeptEvent(waiting.hold.id)
  const isDropped = await store.dropWaiting(waiting, { at: 1, by: 'bob' }, event)
  await store.dropKeptEvent(event)
  return isDropped
}
/** A newer request about the same hold. */
const replace = async (store: Store, older: WaitingDrain, order: string) => {
  const newer = aWaiting(older.hold.id, { order })
  const event = aKeptEvent(older.hold.id)
  const put = await store.putWaiting(newer, { waiting: older, superseded: { at: 1, by: 'bob' }, event })
  const isKept = (await store.keptEvents(100)).events.some(({ id }) => id === event.id)
  await store.dropKeptEvent(event)
  const opened = (await store.openChanges()).changes.filter(
    (change) => change.kind === 'superseded' && change.hold.id === older.hold.id,
  )
  return { put, isKept, opened }
}
const waitingOf = async (store: Store, { hold: { id } }: WaitingDrain) =>
  (await store.waiting()).drains.filter(({ hold }) => hold.id === id)
const holdOf = (store: Store, { hold }: WaitingDrain) => store.hold(hold.source, hold.id, hold.subject)

/** What waits for clearance, and the freeze, as every store must do them. */
export function clearanceContract(open: () => Store, fresh: (name: string) => string): void {
  const lease = async (store: Store) => {
    const name = `/${fresh('clearance')}`
    const generation = (await store.takeEdge(name, 'a', 1000, 2000)) ?? 0
    return { name, generation }
  }

  describe('what waits for clearance', () => {
    test('comes back with every field until it is dropped, once', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      expect(await store.putWaiting(waiting)).toBe('written')
      expect(await waitingOf(store, waiting)).toEqual([waiting])
      expect(await store.waitingFor(waiting.hold)).toEqual(waiting)
      expect((await store.waiting()).unread).toEqual([])
      expect(await drop(store, waiting)).toBe(true)
      expect(await store.waitingFor(waiting.hold)).toBe(undefined)
      expect(await drop(store, waiting)).toBe(false)
      expect(await waitingOf(store, waiting)).toEqual([])
    })
    test('is replaced by a later request about its hold, or the same again, and by no older one', async () => {
      const store = open()
      const id = fresh('waiting')
      expect(await store.isStale(aWaiting(id, { order: '1' }).hold)).toBe(false)
      await store.putWaiting(aWaiting(id))
      expect(await store.isStale(aWaiting(id, { order: '1' }).hold)).toBe(true)
      expect(await store.isStale(aWaiting(id).hold)).toBe(false)
      expect(await store.putWaiting(aWaiting(id, { order: '1' }))).toBe('stale')
      expect(await store.putWaiting(aWaiting(id, { why: 'again' }))).toBe('written')
      const later = aWaiting(id, { order: '3' })
      expect(await replace(store, aWaiting(id), '3')).toMatchObject({ put: 'written' })
      expect(await waitingOf(store, later)).toEqual([later])
      expect(await drop(store, aWaiting(id))).toBe(false)
      expect(await waitingOf(store, later)).toEqual([later])
    })
    test('is replaced together with what is published and filed of it, and by nobody who has not seen it', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      const { id } = waiting.hold
      const nothing = { put: 'stale', isKept: false, opened: [] }
      expect(await replace(store, waiting, '3')).toEqual(nothing)
      await store.putWaiting(waiting)
      expect(await store.putWaiting(aWaiting(id, { order: '3' }))).toBe('stale')
      expect(await replace(store, aWaiting(id, { order: '1' }), '3')).toEqual(nothing)
      await store.seeRequest(waiting.hold, '4', 'lift')
      expect(await replace(store, waiting, '3')).toEqual(nothing)
      expect(await waitingOf(store, waiting)).toEqual([waiting])
      expect(await replace(store, waiting, '5')).toMatchObject({
        ...{ put: 'written', isKept: true },
        opened: [{ hold: { ...waiting.hold, order: '2' }, superseded: { at: 1, by: 'bob' } }],
      })
      expect(await waitingOf(store, waiting)).toEqual([aWaiting(id, { order: '5' })])
      expect(await replace(store, waiting, '6')).toMatchObject({ put: 'stale', isKept: false })
    })
    test('is marked as overdue where that request waits still, and is dropped all the same', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      await store.markOverdue(waiting)
      expect(await waitingOf(store, waiting)).toEqual([])
      await store.putWaiting(waiting)
      await store.markOverdue(aWaiting(waiting.hold.id, { order: '1' }))
      expect(await waitingOf(store, waiting)).toEqual([waiting])
      await store.markOverdue(waiting)
      expect(await waitingOf(store, waiting)).toEqual([{ ...waiting, overduePublished: true }])
      expect(await drop(store, waiting)).toBe(true)
    })
    test('is found by the order of the message that it was dropped for, as it was', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      const order = fresh('order')
      await store.putWaiting(waiting)
      const event = aKeptEvent(waiting.hold.id)
      expect(await store.dropWaiting(waiting, { at: 1, by: 'bob', order }, event)).toBe(true)
      expect(await store.dropWaiting(waiting, { at: 1, by: 'bob', order: `${order}-2` }, event)).toBe(false)
      await store.dropKeptEvent(event)
      expect(await store.endedFor(order)).toEqual([waiting.hold])
      expect(await store.endedFor(`${order}-2`)).toEqual([])
    })
    test('does not wait where its hold could not be placed any more', async () => {
      const store = open()
      const [seen, lifted, placed] = [
        aWaiting(fresh('seen')),
        aWaiting(fresh('lifted')),
        aWaiting(fresh('placed')),
      ]
      await store.seeRequest(seen.hold, '3', 'lift')
      await store.putHold({ ...lifted.hold, lifted: { at: 1, by: 'bob' } })
      await store.putHold({ ...placed.hold, order: '3' })
      for (const waiting of [seen, lifted, placed]) {
        expect(await store.isStale(waiting.hold)).toBe(true)
        expect(await store.putWaiting(waiting)).toBe('stale')
        expect(await waitingOf(store, waiting)).toEqual([])
      }
      // What is placed waits no more, also where its message comes again.
      expect(await store.putWaiting(aWaiting(placed.hold.id, { order: '3' }))).toBe('stale')
      expect(await store.putWaiting(aWaiting(placed.hold.id, { order: '4' }))).toBe('written')
    })
    test('is placed as its hold, and waits no more, in one go', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      await store.putWaiting(waiting)
      const own = await lease(store)
      expect(await store.placeWaiting(waiting, own)).toBe('written')
      expect(await waitingOf(store, waiting)).toEqual([])
      expect(await holdOf(store, waiting)).toEqual(waiting.hold)
      expect(await store.holds()).toContainEqual(waiting.hold)
      expect(await store.placeWaiting(waiting, own)).toBe('stale')
    })
    test('is not placed under a lease that another run has taken: nothing is changed', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      await store.putWaiting(waiting)
      const own = await lease(store)
      const next = await store.takeEdge(own.name, 'b', 2000, 3000)
      expect(await store.placeWaiting(waiting, own)).toBe('lost')
      expect(await waitingOf(store, waiting)).toEqual([waiting])
      expect(await holdOf(store, waiting)).toBe(undefined)
      expect(await store.placeWaiting(waiting, { ...own, generation: next ?? 0 })).toBe('written')
    })
    test.each<[string, (store: Store, waiting: WaitingDrain) => Promise<unknown>]>([
      ['is dropped', (store, waiting) => drop(store, waiting)],
      ['is lifted', (store, { hold }) => store.seeRequest(hold, '3', 'lift')],
      ['is asked for anew', (store, waiting) => replace(store, waiting, '3')],
      ['was placed later', (store, { hold }) => store.putHold({ ...hold, order: '3' })],
    ])('and %s between decision and placement is not placed as it was', async (_, between) => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      await store.putWaiting(waiting)
      const own = await lease(store)
      await between(store, waiting)
      const before = await waitingOf(store, waiting)
      expect(await store.placeWaiting(waiting, own)).toBe('stale')
      expect(await waitingOf(store, waiting)).toEqual(before)
      expect(await store.holds()).not.toContainEqual(waiting.hold)
    })
    test('is placed by one of many that try at once', async () => {
      const store = open()
      const waiting = aWaiting(fresh('waiting'))
      await store.putWaiting(waiting)
      const own = await lease(store)
      const placed = await Promise.allSettled([1, 2, 3, 4].map(() => store.placeWaiting(waiting, own)))
      expect(placed.filter((each) => each.status === 'fulfilled' && each.value === 'written')).toHaveLength(1)
      expect(await holdOf(store, waiting)).toEqual(waiting.hold)
    })
  })

  test('the last freeze comes back whole, ended or not; an older one changes nothing', async () => {
    const store = open()
    const freeze = (change: Partial<Freeze> = {}): Freeze => ({
      ...{ who: 'alice', why: 'carrier', at: 1_795_000_000_000, until: 1_795_000_600_000, order: '2' },
      ...change,
    })
    expect(await store.freeze()).toBe(undefined)
    const { until: _, ...endless } = freeze()
    for (const given of [freeze(), endless]) {
      expect(await store.putFreeze(given)).toBe('written')
      expect(await store.freeze()).toEqual(given)
    }
    expect(await store.putFreeze(freeze({ order: '1' }))).toBe('stale')
    const ended = freeze({ order: '3', ended: { at: 1_795_000_000_001, by: 'bob' } })
    expect(await store.putFreeze(ended)).toBe('written')
    expect(await store.putFreeze(freeze())).toBe('stale')
    expect(await store.freeze()).toEqual(ended)
    const opened = (await store.openChanges()).changes.filter((change) => 'freeze' in change)
    expect(opened.map(({ kind }) => kind)).toEqual(['frozen', 'freeze-ended'])
  })

  test('64 requests at once never take more than the floor leaves', async () => {
    const store = open()
    const [edge, set] = [fresh('edge'), 4711]
    const servers = Array.from({ length: 64 }, (_, n) => ({
      address: `10.9.0.${n}`,
      uri: uri(`sip:10.9.0.${n}`),
    }))
    const clock = createClock()
    const generation = (await store.takeEdge(edge, 'a', 0, 1)) ?? 0
    const { unreadable: _, removedAt: _removedAt, ...head } = aHead(edge, { askedAt: clock.now() })
    await store.putReading(generation, {
      head,
      reading: aReading(edge, { askedAt: clock.now() }),
      listing: aListing(edge, { listed: servers.map((server) => ({ set, ...server, flags: 'AP' })) }),
    })
    const memory = memoryPorts({ config: { clearance: { floors: [{ set, count: 48 }] } } })
    const given = { ...memory, store, clock }
    const ports: Ports = { ...given, events: keepingEvents({ ...given, bus: memory.events }) }
    const asked = servers.map(({ address, uri: at }) => {
      const subject = { kind: 'uri', uri: at } as const
      return aWaiting(fresh('storm'), { subject, uris: [at], addresses: [address], wholeInstance: false })
    })
    const own = new Set(asked.map(({ hold }) => holdKey(hold)))
    // It has no force, which clearance is not asked for.
    const cleared = await Promise.all(
      asked.map(({ hold: { force: _force, ...hold } }) => askClearance(ports, { hold }, 'waits')),
    )
    const count = (kind: string) => cleared.filter((each) => each.kind === kind).length
    // On a slow emulator an answer comes before its turn has: the sweep decides on what is left.
    expect(count('begun') + count('waits')).toBe(64)
    expect(count('begun')).toBeLessThanOrEqual(16)
    await vi.waitFor(async () => expect(await clearDrains(ports)).toBeDefined(), { timeout: 20_000 })
    const held = (await store.holds()).map(holdKey).filter((key) => own.has(key))
    const waits = (await store.waiting()).drains
      .map(({ hold }) => holdKey(hold))
      .filter((key) => own.has(key))
    expect(held).toHaveLength(16)
    expect(new Set([...held, ...waits])).toEqual(own)
    for (const key of some(held)) expect(await store.drain(key)).toMatchObject({ phase: { name: 'claimed' } })
  }, 90_000)
}
