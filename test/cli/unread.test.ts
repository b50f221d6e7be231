import { expect, test } from 'vitest'
import type { Shelf } from '../../cli/desk/desk.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

async function drained() {
  const made = kdcWorld()
  await made.world.settledAll()
  await made.kdc(`${drain} --wait`)
  const { store } = made.world.memory
  const shown = (changes: Partial<Shelf>) => ({ deployed: { shelf: { ...store, ...changes } } })
  return { ...made, store, shown }
}

test('an edge whose list is not known is unknown to explain, and not unlisted; nor does it say that it gets no new calls', async () => {
  const { kdc, store, shown } = await drained()
  const at = shown({
    listing: async (edge) => (edge === 'edge-b' ? undefined : store.listing(edge)),
    reading: async (edge) => (edge === 'edge-b' ? undefined : store.reading(edge)),
  })
  const { out } = await kdc(`explain ${server}`, at)
  expect(out).toMatch(/^held by 1: no edge is to send it new calls, but\n {2}edge-b was read last at /m)
  expect(out).toMatch(/^edge-b {2}unknown /m)
  expect(out).not.toContain('unlisted')
  expect((await kdc('get destinations', at)).err).toBe(
    'as it was read last, or not at all: edge-b (it was not read yet)\n',
  )
})

test('an edge that nobody has read for ten minutes may send calls, whatever it showed then', async () => {
  const { kdc, store, shown } = await drained()
  const before = 10 * minutes
  const at = shown({
    edgeHeads: async () =>
      (await store.edgeHeads()).map((head) =>
        head.edge === 'edge-b' ? { ...head, askedAt: head.askedAt - before } : head,
      ),
    async reading(edge) {
      const found = await store.reading(edge)
      if (edge !== 'edge-b' || !found || 'unread' in found) return found
      return { ...found, askedAt: found.askedAt - before, answeredAt: found.answeredAt - before }
    },
  })
  const { out } = await kdc(`explain ${server}`, at)
  expect(out).toMatch(
    /^held by 1: no edge is to send it new calls, but\n {2}edge-b was read last at .*, and not since/m,
  )
  expect(out).toContain('no call was left when it was found drained; since then:\n')
  expect(out).toMatch(/unknown: edge edge-b: nobody has read it since 2026-\S+ \S+ UTC$/m)
})

test('what was drained and has calls again is not said to have none, and nobody who watches it is told that it is over', async () => {
  const { kdc, world, store, shown } = await drained()
  const held = await store.drain((await store.holds()).map(holdKey)[0] ?? '')
  expect(held?.phase.name).toBe('held')
  await world.pass(2 * minutes)
  world.edge('edge-b').callTo(server)
  await world.settle()
  // Its next look has not found that yet.
  const at = shown({ drain: async () => held })
  const { out } = await kdc(`explain ${server}`, at)
  expect(out).toContain('drained, calls left: 1')
  expect(out).not.toContain('no call is left')
  expect(out).toContain('calls are left: 1 on edge-b')
  const stop = new AbortController()
  world.clock.at(world.clock.now() + 1000, () => stop.abort())
  expect(await kdc(`watch ${server}`, { ...at, stopped: stop.signal })).toMatchObject({ code: 130 })
})

test('status shows what is held and has no drain, which else nobody would see', async () => {
  const { kdc, shown } = await drained()
  const { out } = await kdc('status', shown({ drain: async () => undefined }))
  expect(out).toMatch(
    /\n\nheld, and no drain to show: it is beginning, just over, or can't be read\nHELD .*\nsip:10\.0\.1\.20:5060 /,
  )
  expect((await kdc('status')).out).not.toContain('no drain')
})
