import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
import { kdcWorld, unreached } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

test.each([
  [`${drain} --from 2020-01-01T00:00:00Z`, ': leave --from out to have the drain begin at once'],
  [`${drain} --until 2020-01-01T00:00:00Z`, ': a hold ends later, or without --until only by activate'],
  [`${drain} --from 40d`, ': a window begins 30 days later at most; send it nearer to it'],
  ['freeze -m why --until 2020-01-01T00:00:00Z', ': a freeze ends later, or has no end'],
])(
  'what is not sent is not said to have been sent: %s is judged by this machine’s clock',
  async (line, what) => {
    const { err } = await kdcWorld().kdc(line, { reach: unreached })
    expect(err).toContain(`, this machine's clock shows 2026-11-22 20:00:00 UTC${what}`)
    expect(err).not.toContain('sent')
  },
)

/** The control plane's, on a machine whose clock is eleven minutes fast. */
function fastWorld() {
  const { kdc, world } = kdcWorld()
  const { clock } = world
  return { kdc, world, clock: { ...clock, now: () => clock.now() + 11 * minutes } }
}

test('a drain is not overdue by the clock of who watches it, but once it was looked at then', async () => {
  const { kdc, world, clock } = fastWorld()
  world.edge('edge-a').callTo(server)
  const { code, err } = await kdc(`${drain} --deadline 10m --wait --timeout 30s`, { clock })
  // What is left is unknown: by that clock no reading is a recent one.
  expect(code).toBe(6)
  expect(err).not.toContain('its deadline has passed')
  expect((await kdc('get drains', { clock })).out).not.toContain('overdue')
  await world.pass(10 * minutes)
  expect((await kdc('get drains')).out).toContain('overdue')
})

test('a freeze that has just expired by a fast clock was read: its unfreeze does not say otherwise', async () => {
  const { kdc, clock } = fastWorld()
  await kdc('freeze -m maintenance --until 10m')
  const { code, out } = await kdc('unfreeze', { clock })
  expect(code).toBe(0)
  expect(out).toContain("no undo: no freeze was in force by this machine's clock: kdc history names it")
  expect(out).not.toContain('could not be read')
})
