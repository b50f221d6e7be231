import { execFileSync } from 'node:child_process'
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

const undone = ({ out }: { readonly out: string }) =>
  (/^undo: kdc (.*)$/m.exec(out)?.[1] ?? 'no undo').split('; kdc ')
const broken = `drain ${server} -m 'broken disk' --until 2026-11-23T02:00:00Z`
const upgrade = `drain ${server} -m 'kernel upgrade' --from 2026-11-23T04:00:00Z --until 2026-11-23T06:00:00Z`

test('the undo of what ended a hold and a window of one name asks for both, the hold first', async () => {
  for (const line of [`activate ${server}`, `drain ${server} -m 'noisy fan'`]) {
    const { kdc, reasons } = await both()
    const undo = undone(await kdc(line))
    expect(undo.map((each) => each.replace(/:0\dZ/g, ':00Z'))).toEqual([broken, upgrade])
    for (const command of undo) await kdc(command)
    expect(await reasons()).toEqual({ held: ['broken disk'], waiting: ['kernel upgrade'] })
  }
})

test('an undo of two commands goes on in a shell where the first was not done everywhere', async () => {
  const { kdc } = await both()
  const [, undo = ''] = /^undo: (.*)$/m.exec((await kdc(`activate ${server}`)).out) ?? []
  const shell = `kdc() { echo "$1"; return 3; }\n${undo} || true`
  expect(execFileSync('bash', ['-c', shell], { encoding: 'utf8' })).toBe('drain\ndrain\n')
})

test('the undo of an activate of many asks for a hold and a window of one name', async () => {
  const { kdc, reasons } = await both()
  for (const command of undone(await kdc('activate --set 1'))) await kdc(command)
  expect(await reasons()).toEqual({ held: ['broken disk'], waiting: ['kernel upgrade'] })
})

test('the undo of a window leaves the hold in force of its name, and asks for the window before', async () => {
  const { kdc, drained, reasons } = await both()
  expect(undone(drained)).toEqual([broken])
  const undo = undone(await kdc(`drain ${server} -m 'noisy fan' --from 8h`))
  expect(undo).toHaveLength(1)
  await kdc(undo[0] ?? '')
  expect(await reasons()).toEqual({ held: ['broken disk'], waiting: ['kernel upgrade'] })
})

test('the undo of a drain that began in the place of a window lifts it, and asks for the window', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(`drain ${server} -m 'kernel upgrade' --from 8h`)
  for (const command of undone(await kdc(`drain ${server} -m 'broken disk'`))) await kdc(command)
  expect(await world.heldBy()).toEqual([])
  expect((await world.memory.store.waiting()).drains).toHaveLength(1)
})

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
