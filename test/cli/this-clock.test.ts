import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
import { bob, kdcWorld, unreached } from './kdc-world.ts'

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
function fastWorld(fastMinutes = 11) {
  const { kdc, world, sent } = kdcWorld()
  const { clock } = world
  return { kdc, world, sent, clock: { ...clock, now: () => clock.now() + fastMinutes * minutes } }
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

test('a freeze is in force until the control plane ends it: a fast clock hides none, and ends none of another unasked', async () => {
  const { kdc, world, sent, clock } = fastWorld()
  await kdc('freeze -m maintenance --until 10m', { who: bob })
  expect((await kdc('status', { clock })).out).toContain(
    'FROZEN by Operators/bob, until 2026-11-22T20:10:00Z, which has passed by this clock; the control plane has not ended it yet: maintenance\n',
  )
  await kdc(`${drain} --until 1d`)
  expect((await kdc(`explain ${server}`, { clock })).out).toContain(`next   frozen by ${bob}: maintenance; `)
  sent.length = 0
  expect(await kdc('unfreeze', { clock })).toMatchObject({
    ...{ code: 3, err: expect.stringContaining("this ends somebody else's freeze") },
  })
  expect(sent).toEqual([])
  await world.pass(10 * minutes)
  await world.sweep()
  expect((await kdc('status')).out).not.toContain('FROZEN')
})

test.each([
  [11, /^nobody has tried to read any edge for 11m: settle is not called, or this machine's clock is ahead/m],
  [-11, /^this machine's clock is 11m behind the control plane's: no age and no span here is right$/m],
])('a clock that is %i minutes off is told beside the ages that it makes wrong', async (off, words) => {
  const { kdc, clock } = fastWorld(off)
  expect((await kdc('status', { clock })).out).toMatch(words)
  const { out, err } = await kdc(`explain ${server}`, { clock })
  expect(err).toMatch(words)
  expect(out).not.toMatch(words)
  const right = await kdc('status')
  expect(right.out).not.toContain('clock')
})
