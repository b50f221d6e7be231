import { describe, expect, test } from 'vitest'
import { StoreConflict } from '../../functions/control/errors.ts'
import type { Hold } from '../../functions/control/hold.ts'
import type { Store } from '../../functions/ports/store.ts'
import { aHold, uri } from './store-samples.ts'

/** Holds and retiring, as every store must do them. */
export function holdsContract(open: () => Store, fresh: (name: string) => string): void {
  describe('holds', () => {
    test('a hold comes back with every field', async () => {
      const store = open()
      const hold = aHold(fresh('hold'))
      expect(await store.putHold(hold)).toBe('written')
      expect(await store.hold(hold.source, hold.id, hold.subject)).toEqual(hold)
      expect(await store.holds()).toContainEqual(hold)
    })
    test('an unknown hold is undefined', async () => {
      expect(await open().hold('alarm', fresh('nobody'), { kind: 'uri', uri: uri('sip:10.0.1.20') })).toBe(
        undefined,
      )
    })
    test('the later order wins, whatever comes last; the same order is written again', async () => {
      const store = open()
      const id = fresh('hold')
      const lifted = { at: 1_795_000_000_500, by: 'operator' }
      expect(await store.putHold(aHold(id, { order: '2', lifted }))).toBe('written')
      expect(await store.putHold(aHold(id, { order: '1' }))).toBe('stale')
      expect((await store.hold('lifecycle', id, aHold(id).subject))?.lifted).toEqual(lifted)
      expect(await store.putHold(aHold(id, { order: '2', why: 'again', lifted }))).toBe('written')
      expect((await store.hold('lifecycle', id, aHold(id).subject))?.why).toBe('again')
      // A tombstone that is as late wins.
      expect(await store.putHold(aHold(id, { order: '2' }))).toBe('stale')
      expect(await store.putHold(aHold(id, { order: '3' }))).toBe('written')
      expect((await store.holds()).filter((hold) => hold.id === id)).toEqual([aHold(id, { order: '3' })])
    })
    test('a lifted hold is listed no more', async () => {
      const store = open()
      const id = fresh('hold')
      const listed = async () => (await store.holds()).filter((hold) => hold.id === id).length
      await store.putHold(aHold(id))
      expect(await listed()).toBe(1)
      const lifted = { at: 1, by: 'bob', sender: { id: 'AIDA4711', name: 'bob' } }
      await store.putHold(aHold(id, { order: '001795000000900', lifted }))
      expect(await listed()).toBe(0)
      expect(await store.hold('lifecycle', id, aHold(id).subject)).toMatchObject({ lifted })
    })
    test('one that a message has lifted is found by the order of that message, once, and no other one', async () => {
      const store = open()
      const order = fresh('9')
      const lifted = { at: 1, by: 'bob', sender: { id: 'AIDA4711' } }
      const [its, nobodys] = [fresh('its'), fresh('nobodys')]
      const tombstone = aHold(its, { order, lifted })
      for (const hold of [tombstone, tombstone, aHold(nobodys, { order, lifted: { at: 1, by: 'its end' } })])
        expect(await store.putHold(hold)).toBe('written')
      expect(await store.endedFor(order)).toEqual([tombstone])
      expect(await store.endedFor(`${order}-2`)).toEqual([])
    })
    test('of an alarm, an instance and a URI are different subjects', async () => {
      const store = open()
      const id = fresh('hold')
      const subjects: Hold['subject'][] = [
        { kind: 'instance', instanceId: 'i-0a1b2c3d4e5f60718', launchedAt: 1 },
        { kind: 'uri', uri: uri('sip:10.0.1.20') },
      ]
      for (const subject of subjects) await store.putHold(aHold(id, { source: 'alarm', subject }))
      expect((await store.holds()).filter((hold) => hold.id === id)).toHaveLength(2)
    })
    test('a hold of an instance is the same before and after EC2 has shown the instance', async () => {
      const store = open()
      const id = fresh('hold')
      const subject = { kind: 'instance', instanceId: 'i-0a1b2c3d4e5f60718', launchedAt: 0 } as const
      for (const source of ['lifecycle', 'retired', 'alarm', 'operator'] as const) {
        await store.putHold(aHold(id, { source, subject, addresses: [], uris: [] }))
        const resolved = aHold(id, { source, subject: { ...subject, launchedAt: 1_795_000_000_000 } })
        await store.putHold(resolved)
        expect(await store.hold(source, id, subject)).toEqual(resolved)
        expect((await store.holds()).filter((hold) => hold.id === id)).toEqual([resolved])
        await store.putHold({ ...resolved, lifted: { at: 1, by: 'workflow' } })
        expect(await store.hold(source, id, resolved.subject)).toMatchObject({ lifted: { at: 1 } })
        expect((await store.holds()).filter((hold) => hold.id === id)).toEqual([])
      }
    })
    test.each(['alarm', 'operator'] as const)(
      'after a later request about it, the hold of %s is not placed, whoever is its subject',
      async (source) => {
        const store = open()
        const id = fresh('hold')
        const bare = { kind: 'uri', uri: uri('sip:10.0.1.20') } as const
        const hold = aHold(id, { source, order: '2' })
        await store.seeRequest({ source, id }, '2', 'hold')
        expect(await store.putHold(hold)).toBe('written')
        await store.seeRequest({ source, id }, '3', 'lift')
        expect(await store.putHold(hold)).toBe('stale')
        expect(await store.putHold({ ...hold, subject: bare })).toBe('stale')
        expect(await store.putHold({ ...hold, lifted: { at: 1, by: 'bob' } })).toBe('written')
        expect(await store.putHold({ ...hold, order: '3', subject: bare })).toBe('written')
      },
    )
    test('what is filled in of a hold is written only over what was read of it', async () => {
      const store = open()
      const id = fresh('hold')
      const read = aHold(id, { addresses: [], uris: [] })
      const [one, two] = [aHold(id), aHold(id, { addresses: ['10.0.1.20', '10.0.1.21'] })]
      await store.putHold(read)
      expect(await store.putHold(two, read)).toBe('written')
      expect(await store.putHold(one, read)).toBe('stale')
      expect(await store.hold('lifecycle', id, read.subject)).toEqual(two)
      expect((await store.holds()).filter((hold) => hold.id === id)).toEqual([two])
      expect(await store.putHold({ ...two, uris: [] }, { ...two, uris: [] })).toBe('stale')
      expect(await store.putHold({ ...two, group: 'other' }, two)).toBe('written')
    })
    test('of many that write at once, the latest order stays', async () => {
      const store = open()
      const id = fresh('hold')
      await Promise.allSettled([3, 1, 4, 2].map((n) => store.putHold(aHold(id, { order: `${n}` }))))
      await store.putHold(aHold(id, { order: '4' }))
      expect((await store.hold('lifecycle', id, aHold(id).subject))?.order).toBe('4')
    })
    test('retiring turns the lifecycle hold into a tombstone and the mark into force, twice the same', async () => {
      const store = open()
      const hold = aHold(fresh('hold'))
      const lifted = { ...hold, lifted: { at: hold.placedAt + 1, by: 'workflow' } }
      const mark = aHold(hold.id, { source: 'retired', who: 'workflow' })
      await store.putHold(hold)
      for (const _time of ['once', 'twice']) {
        await store.retire(lifted, mark)
        expect((await store.holds()).filter((one) => one.id === hold.id)).toEqual([mark])
        expect(await store.hold('lifecycle', hold.id, hold.subject)).toEqual(lifted)
      }
    })
    test('retiring changes nothing when the mark was written later', async () => {
      const store = open()
      const hold = aHold(fresh('hold'))
      const mark = aHold(hold.id, { source: 'retired' })
      const admitted = { ...mark, order: '9', lifted: { at: 9, by: 'launch' } }
      await store.putHold(hold)
      await store.putHold(admitted)
      await expect(store.retire({ ...hold, lifted: { at: 9, by: 'workflow' } }, mark)).rejects.toThrow(
        StoreConflict,
      )
      expect(await store.hold('lifecycle', hold.id, hold.subject)).toEqual(hold)
      expect(await store.hold('retired', mark.id, mark.subject)).toEqual(admitted)
    })
    test('nobody shares an object with the store', async () => {
      const store = open()
      const uris = [uri('sip:10.0.1.20')]
      const hold = aHold(fresh('hold'), { uris })
      await store.putHold(hold)
      uris.push(uri('sip:10.0.1.99'))
      expect((await store.hold(hold.source, hold.id, hold.subject))?.uris).toHaveLength(1)
    })
  })
}
