import { describe, expect, test } from 'vitest'
import { type Change, type ChangeOf, holdChange, type Shown } from '../../functions/control/change.ts'
import type { FiledChange } from '../../functions/control/filed-change.ts'
import type { Hold } from '../../functions/control/hold.ts'
import type { Store } from '../../functions/ports/store.ts'
import { some } from '../present.ts'
import { aHold, aKeptEvent, uri } from './store-samples.ts'

const sender = { id: 'AROA4711:deploy-17', name: 'deploy pipeline' }
const shown: readonly Shown[] = [
  {
    edges: ['edge-a', 'edge-b'],
    outcome: 'refused',
    detail: 'listed twice',
    guarded: true,
    entries: [{ set: 1, uri: uri('sip:10.0.1.20:5060'), before: 'AP', after: 'DX' }],
    more: 3,
    listed: { before: 4, after: 2 },
  },
]
const hold = aHold('a', { force: 'it burns', lifted: { at: 9, by: 'bob', sender, why: 'mended' } })
const freeze = {
  ...{ who: 'alice', sender, why: 'carrier', at: 1, until: 2, order: '1' },
  ended: { at: 2, by: 'bob', sender, why: 'over' },
}
const at = 1_795_000_000_000
const order = `00${at}#1`
const release = { edge: 'edge-b', who: 'alice', sender, why: 'lost', at, order, ended: { at: at + 1 } }
const ofEachKind = {
  placed: { kind: 'placed', hold },
  lifted: { kind: 'lifted', hold },
  retired: { kind: 'retired', hold },
  superseded: { kind: 'superseded', hold, superseded: { at: 1, by: 'bob', sender } },
  frozen: { kind: 'frozen', freeze },
  'freeze-ended': { kind: 'freeze-ended', freeze },
  released: { kind: 'released', release },
  'release-ended': { kind: 'release-ended', release },
  reloaded: { kind: 'reloaded', reload: { id: 'reload-1', who: 'alice', sender, why: 'new list' } },
} as const satisfies { [K in Change['kind']]: ChangeOf & { readonly kind: K } }

/** Every field, the optional ones too. */
function aFiled(id: string, change: Partial<FiledChange> = {}): FiledChange {
  return {
    ...{ id, at, kind: 'lifted', who: 'bob', sender: { id: `${id}:s` }, why: 'mended' },
    ...{ force: 'it burns', hold: { source: 'operator', id: 'a' }, edge: 'edge-b', until: 3 },
    former: { who: 'alice', sender, why: 'disk failing' },
    destinations: [`sip:${id}`, `i-${id}`],
    ...{ shown, complete: true, leftOut: { edges: 2 } },
    ...change,
  }
}

const placed = (id: string, change: Partial<Hold> = {}) => aHold(id, { order, ...change })

/** The record of changes, as every store must keep it. */
export function changesContract(open: () => Store, fresh: (name: string) => string): void {
  const openOf = async (store: Store, id: string) =>
    (await store.openChanges()).changes.filter((change) => change.id.includes(id))

  describe('a change', () => {
    const kinds = Object.values(ofEachKind).map((of) => ({ kind: of.kind, of }))
    test.each(kinds)('of the kind $kind comes back with every field', async ({ of }) => {
      const store = open()
      const change: Change = { id: `${order}#${fresh('change')}`, shown, filedAt: at, ...of }
      await store.putChange(change)
      expect(await openOf(store, change.id)).toEqual([change])
      await store.putChange({ ...change, shown: [] })
      expect(await openOf(store, change.id)).toEqual([change])
    })

    const writes: [string, string, (store: Store, id: string) => Promise<unknown>][] = [
      ['placing a hold', 'placed', (store, id) => store.putHold(placed(id))],
      [
        'lifting one',
        'lifted',
        (store, id) => store.putHold(placed(id, { lifted: { at: at + 2, by: 'bob' } })),
      ],
    ]
    test.each(writes)('is opened by %s, and by the same again once', async (_, kind, write) => {
      const store = open()
      const id = fresh('change')
      await write(store, id)
      await write(store, id)
      expect(await openOf(store, id)).toMatchObject([{ kind, shown: [] }])
    })
    test('is opened by a mark, and not by what is filled in or comes too late', async () => {
      const store = open()
      const id = fresh('change')
      const known = placed(id)
      await store.putHold(known)
      await store.putHold({ ...known, addresses: ['10.0.1.20', '10.0.2.20'] }, known)
      await store.putHold(placed(id, { order: `00${at - 1}` }))
      const lifted = { ...known, lifted: { at: at + 2, by: 'workflow' } }
      await store.retire(lifted, { ...known, source: 'retired', order: `${order}2` })
      const found = await openOf(store, id)
      expect(found.map(({ kind }) => kind)).toEqual(['placed', 'retired'])
      expect(found[0]).toMatchObject({ hold: { addresses: ['10.0.1.20'] } })
    })
    test('is opened by releasing an edge, and by its end', async () => {
      const store = open()
      const edge = fresh('edge')
      const { ended, ...released } = { ...release, edge }
      await store.putRelease(released)
      await store.putRelease({ ...released, order: `00${at - 1}` })
      await store.putRelease({ ...released, ended })
      expect((await openOf(store, edge)).map(({ kind }) => kind)).toEqual(['released', 'release-ended'])
    })
    test('is opened by dropping what waits for something later, and not by dropping it otherwise', async () => {
      const store = open()
      const { shownAt: _, ...its } = placed(fresh('change'))
      const waiting = { hold: { ...its, source: 'operator' as const, until: 9 }, since: 1 }
      await store.putWaiting(waiting)
      const superseded = { at: at + 3, by: 'bob', sender }
      const event = aKeptEvent(its.id)
      const isKept = async () => (await store.keptEvents(100)).events.some(({ id }) => id === its.id)
      expect(
        await store.dropWaiting({ ...waiting, hold: { ...waiting.hold, order: '0' } }, superseded, event),
      ).toBe(false)
      expect([await openOf(store, its.id), await isKept()]).toEqual([[], false])
      expect(await store.dropWaiting(waiting, superseded, event)).toBe(true)
      expect(await isKept()).toBe(true)
      await store.dropKeptEvent(event)
      expect(await openOf(store, its.id)).toMatchObject([
        { kind: 'superseded', hold: { who: its.who }, superseded: { at: at + 3, by: 'bob', sender } },
      ])
    })
    test('has what edges showed of it while it is open, and is not opened by that', async () => {
      const store = open()
      const change = holdChange(placed(fresh('change')))
      await store.putShown(change.id, shown)
      expect(await openOf(store, change.id)).toEqual([])
      await store.putChange(change)
      await store.putShown(change.id, shown)
      expect(await openOf(store, change.id)).toEqual([{ ...change, shown }])
      await store.putShown(change.id, shown, at)
      expect(await openOf(store, change.id)).toEqual([{ ...change, shown, filedAt: at }])
    })
  })

  describe('a change on file', () => {
    const most = 10
    test('is found by day, destination and sender with every field; a role is one in all its sessions', async () => {
      const store = open()
      const id = fresh('AROA')
      const filed = aFiled(id)
      await store.fileChange(filed)
      const ways = [
        { destination: `sip:${id}` },
        { destination: `i-${id}` },
        { sender: id },
        { day: '2026-11-18' },
      ]
      for (const of of some(ways)) {
        const { changes } = await store.changes(of, { most: 1000 })
        expect(changes.filter((change) => change.id === id)).toEqual([filed])
      }
      expect(await store.changes({ destination: id }, { most })).toEqual({ changes: [], unread: [] })
    })
    test('is open until it is complete, and is not written again afterwards', async () => {
      const store = open()
      const change = holdChange(placed(fresh('change')))
      await store.putChange(change)
      const of = { sender: fresh('sender') }
      const filed = aFiled(change.id, { sender: { id: of.sender }, complete: false })
      await store.fileChange(filed)
      expect(await openOf(store, change.id)).toEqual([change])
      await store.fileChange({ ...filed, complete: true })
      expect(await openOf(store, change.id)).toEqual([])
      await store.fileChange({ ...filed, why: 'as it was read later' })
      expect(await store.changes(of, { most })).toEqual({
        changes: [{ ...filed, complete: true }],
        unread: [],
      })
    })
    test('stays as it is when it is open no more', async () => {
      const store = open()
      const change = holdChange(placed(fresh('change')))
      await store.putChange(change)
      const of = { sender: fresh('sender') }
      const filed = aFiled(change.id, { sender: { id: of.sender }, complete: false })
      await store.fileChange(filed)
      await store.dropChange(change.id)
      expect(await openOf(store, change.id)).toEqual([])
      expect(await store.changes(of, { most })).toEqual({ changes: [filed], unread: [] })
    })
    test('comes in pages, the newest first', async () => {
      const store = open()
      const of = { sender: fresh('sender') }
      for (const n of [2, 1, 3]) await store.fileChange(aFiled(`${n}`, { sender: { id: of.sender } }))
      const first = await store.changes(of, { most: 2 })
      expect(first.changes.map(({ id }) => id)).toEqual(['3', '2'])
      const second = await store.changes(of, { most: 2, ...(first.next && { before: first.next }) })
      expect(second.changes.map(({ id }) => id)).toEqual(['1'])
      expect(second.next).toBe(undefined)
    })
  })
}
