import { expect, test } from 'vitest'
import { instanceId, minutes, server } from '../world/world.ts'
import { alice, kdcWorld } from './kdc-world.ts'

/** One's own hold in force and one's own window have one name. */
async function both(target = server) {
  const { kdc, world } = kdcWorld()
  await kdc(`drain ${target} -m 'broken disk' --until 6h`)
  const drained = await kdc(`drain ${target} -m 'kernel upgrade' --from 8h --until 10h`)
  const { store } = world.memory
  const reasons = async () => ({
    held: (await store.holds()).map(({ why }) => why),
    waiting: (await store.waiting()).drains.map(({ hold }) => hold.why),
  })
  expect(await reasons()).toEqual({ held: ['broken disk'], waiting: ['kernel upgrade'] })
  return { kdc, world, drained, reasons }
}

const dropped = (out: string) => /it is dropped by: (?:.*: )?kdc (.*)$/m.exec(out)?.[1] ?? 'no line'

test.each([server, instanceId])(
  'what explain prints to drop a window of %s leaves the hold in force',
  async (target) => {
    const { kdc, reasons, world } = await both(target)
    const { out } = await kdc(`explain ${server}`)
    expect(dropped(out)).toBe(`drain ${target} -m 'broken disk' --until 2026-11-23T02:00:00Z`)
    await kdc(dropped(out))
    expect(await reasons()).toEqual({ held: ['broken disk'], waiting: [] })
    expect(await world.heldBy()).toHaveLength(1)
  },
)

test('a window beside no hold of its owner is dropped by an activate of its name', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m 'kernel upgrade' --from 8h`)
  const { out } = await kdc(`explain ${server}`)
  expect(dropped(out)).toBe(`activate ${server} --hold 'operator/10.0.1.20:5060;udp/${alice}'`)
})

test('a hold in force is watched to its end, and not told to wait because a window has its name', async () => {
  const { kdc, world } = await both()
  await world.pass(2 * minutes)
  const { code, out } = await kdc(`watch ${server}`)
  expect(out).toContain('drained: calls left: 0')
  expect(out).not.toContain('waits to begin')
  expect(code).toBe(0)
})

test('who waits for a window waits for its own drain, and not for the hold in force of its name', async () => {
  const { kdc, world } = await both()
  world.clock.at(world.clock.now() + 4 * minutes, () => world.sweep())
  const waited = await kdc(`drain ${server} -m 'kernel upgrade' --from 3m --wait`)
  expect(waited.code).toBe(0)
  expect(waited.err).toMatch(/it waits to begin(?:.|\n)*drained: calls left: 0\n$/)
  expect(world.age()).toBeGreaterThan(3 * minutes)
})

test('a window that is dropped before it begins ends the wait for it: 1, and names the hold that stands', async () => {
  const { kdc, world } = await both()
  await kdc('freeze -m maintenance')
  world.clock.at(world.clock.now() + 5 * minutes, () => world.sweep())
  const waited = await kdc(`drain ${server} -m 'kernel upgrade' --from 2m --until 4m --wait`)
  expect(waited).toMatchObject({ code: 1, err: expect.stringContaining('it was dropped before it began') })
  expect(await world.heldBy()).toHaveLength(1)
})
