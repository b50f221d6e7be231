import { expect, test } from 'vitest'
import { config, minutes, neighbour, server } from '../world/world.ts'
import { bob, kdcWorld } from './kdc-world.ts'

const line = `drain ${server} -m 'disk failing'`

/** A neighbour is drained already, and each edge has a call. */
async function worldOf(clearance: NonNullable<(typeof config)['clearance']>) {
  const made = kdcWorld({ config: { ...config, clearance } })
  const { kdc, world } = made
  await world.settledAll()
  world.edge('edge-a').callTo(server)
  await world.settle()
  await kdc(`drain ${neighbour} -m 'noisy fan'`, { who: bob })
  return made
}

test.each([
  [
    { floors: [{ set: 1, count: 1 }] },
    'set 1 on edge-a would keep 0 of its 1 active servers, and its floor is 1',
  ],
  [{ atOnce: 1 }, '1 drains by choice are under way, and the limit is 1'],
])(
  'explain names which floor or limit keeps what waits, as the control plane decides: %j',
  async (clearance, words) => {
    const { kdc } = await worldOf(clearance)
    expect((await kdc(line)).out).toContain(`: waiting: ${words}  (`)
    const { out } = await kdc(`explain ${server}`)
    expect(out).toContain(`    next   ${words}\n           it begins within a minute after nothing keeps it`)
  },
)

test('explain of what waits says so where no floor keeps it, or where the settings can not be read', async () => {
  const { kdc } = await worldOf({ atOnce: 1 })
  await kdc(line)
  await kdc(`activate ${neighbour}`, { who: bob })
  expect((await kdc(`explain ${server}`)).out).toContain(' next   no floor and no limit keeps it, by what')
  const surroundings = () => Promise.reject(new Error('AccessDenied'))
  const { out } = await kdc(`explain ${server}`, { deployed: { surroundings } })
  expect(out).toMatch(/ next {3}floors or a limit leave no room for it, or what they go by is unknown/)
})

test('what waits beyond its own end is explained as that, and keeps no other from beginning', async () => {
  const { kdc, world } = kdcWorld({ config: { ...config, clearance: { atOnce: 1 } } })
  await kdc("freeze -m 'carrier work' --until 60s")
  await kdc(`${line} --until 60s`)
  await kdc(`drain ${neighbour} -m 'noisy fan'`, { who: bob })
  await world.pass(1 * minutes)
  expect((await kdc(`explain ${server}`)).out).toContain(
    ' next   its own end has come before it began: it is dropped',
  )
  const shelf = { ...world.memory.store, freeze: async () => undefined }
  const { out } = await kdc(`explain ${neighbour}`, { deployed: { shelf } })
  expect(out).toContain(' next   no floor and no limit keeps it')
})
