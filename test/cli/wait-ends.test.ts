import { expect, test } from 'vitest'
import { type Hold, holdKey } from '../../functions/control/hold.ts'
import { server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

function waited() {
  const { kdc, world } = kdcWorld()
  const inSeconds = (seconds: number, what: () => unknown) =>
    world.clock.at(world.clock.now() + seconds * 1000, what)
  const activate = { version: 1, id: 'lift-1', command: 'activate', destination: server, requestedBy: alice }
  const liftIn = (seconds: number) => inSeconds(seconds, () => void world.command(activate))
  return { kdc, world, liftIn, inSeconds }
}

test('a wait whose hold was lifted while another holds the server does not say that nothing is held', async () => {
  const { kdc, world, liftIn } = waited()
  world.edge('edge-a').callTo(server)
  await kdc(`drain ${server} -m 'noisy fan'`, { who: bob })
  liftIn(20)
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait --timeout 2m`)
  expect(code).toBe(1)
  expect(err).toMatch(
    /\nthe hold of this drain was lifted; kdc explain sip:10\.0\.1\.20:5060 shows who else holds it\n$/,
  )
  expect(await world.heldBy()).toHaveLength(1)
})

test('of a drain that only waited no hold was lifted: it was dropped before it began', async () => {
  const { kdc, liftIn, inSeconds } = waited()
  await kdc('freeze -m maintenance')
  liftIn(15)
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait --timeout 2m`)
  expect(code).toBe(1)
  expect(err).toMatch(/\nit was dropped before it began\n$/)
  await kdc(`drain ${server} -m 'disk failing'`)
  inSeconds(15, () => kdc(`activate ${server}`))
  expect((await kdc(`watch ${server}`)).out).toMatch(/it was dropped before it began\n$/)
})

test('what waited, and began while it was watched, had a hold that was lifted', async () => {
  const { kdc, world, inSeconds } = waited()
  world.edge('edge-a').callTo(server)
  await kdc('freeze -m maintenance')
  inSeconds(10, () => kdc('unfreeze'))
  inSeconds(150, () => kdc(`activate ${server}`))
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait --timeout 5m`)
  expect(code).toBe(1)
  expect(err).toMatch(/it waits to begin(?:.|\n)*\nthe hold of this drain was lifted; kdc explain/)
})

test('a hold that is lifted between two reads of what is stored was lifted: nothing was dropped', async () => {
  const { kdc, world, inSeconds } = waited()
  const { store } = world.memory
  world.edge('edge-a').callTo(server)
  let before: readonly Hold[] | undefined
  inSeconds(20, async () => {
    before = await store.holds()
    await kdc(`activate ${server}`)
  })
  // Its drain is read when it has ended, by what was in force before.
  const at = { deployed: { shelf: { ...store, holds: async () => before ?? store.holds() } } }
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait --timeout 5m`, at)
  expect(before).toHaveLength(1)
  expect(code).toBe(1)
  expect(err).toMatch(/\nthe hold of this drain was lifted; kdc explain/)
  expect(err).not.toContain('dropped')
})

test('a drain that has not begun does not go on when --timeout is over: it waits still, and keeps no call away', async () => {
  const { kdc, world } = waited()
  await kdc('freeze -m maintenance')
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait --timeout 20s`)
  expect(code).toBe(4)
  expect(err).toMatch(/; timed out, it waits still, and keeps no call from its server\n$/)
  expect(err).not.toContain('goes on')
  expect(await world.heldBy()).toEqual([])
})

test('who stops watching a drain that only waits is not told that it goes on', async () => {
  const { kdc, inSeconds } = waited()
  await kdc('freeze -m maintenance')
  const stop = new AbortController()
  inSeconds(10, () => stop.abort())
  const { code, err } = await kdc(`drain ${server} -m 'disk failing' --wait`, { stopped: stop.signal })
  expect(code).toBe(130)
  expect(err).toMatch(
    /\nkdc: .*stopped: it waits still, and keeps no call from its server: kdc status shows it\n$/,
  )
})

test('what was concluded of an earlier drain of the same name ends no wait for the one that has just begun', async () => {
  const { kdc, world, inSeconds } = waited()
  await kdc(`drain ${server} -m 'disk failing' --wait`)
  const { store } = world.memory
  const earlier = await store.drain((await store.holds()).map(holdKey)[0] ?? '')
  expect(earlier?.phase.name).toBe('held')
  world.edge('edge-a').callTo(server)
  // Its hold is placed first, and its drain is begun after that.
  let isBegun = false
  inSeconds(10, () => {
    isBegun = true
  })
  const drain = async (id: string) => (isBegun ? store.drain(id) : earlier)
  const at = { deployed: { shelf: { ...store, drain } } }
  const { code, err } = await kdc(`drain ${server} -m 'a fan' --wait --timeout 1m`, at)
  expect(err).toMatch(/\nit is beginning\n/)
  expect(code).toBe(4)
})
