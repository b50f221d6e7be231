import { expect, test } from 'vitest'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { minutes, neighbour, server } from '../world/world.ts'
import { doctorWorld } from './doctor-world.ts'
import { kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

test('a drain that begins while kdc reads is found all the same: --wait does not take it for lifted', async () => {
  const { kdc, world } = kdcWorld()
  await kdc('freeze -m maintenance')
  const { store } = world.memory
  let begins = false
  async function waiting() {
    if (begins) {
      begins = false
      await kdc('unfreeze')
      await world.pass(minutes)
    }
    return store.waiting()
  }
  world.clock.at(world.clock.now() + minutes, () => {
    begins = true
  })
  const { code, err } = await kdc(`${drain} --wait`, { deployed: { shelf: { ...store, waiting } } })
  expect(err).toContain(`it waits to begin; kdc explain ${server} names why`)
  expect(err).not.toContain('was lifted')
  expect(code).toBe(0)
})

const unread = (row: string) => () => Promise.reject(new UnexpectedAnswer(`${row}: who: is missing`))

test('a drain that can not be read is named, and keeps neither the others nor the rest from being shown', async () => {
  const { kdc, world, shelf, found } = doctorWorld()
  await kdc(drain)
  await kdc(`drain ${neighbour} -m 'noisy fan'`)
  await world.pass(minutes)
  const [first] = await world.memory.store.holds()
  const lost = first && holdKey(first)
  Object.assign(shelf, {
    drain: (hold: string) => (hold === lost ? unread('DRAIN/x')() : world.memory.store.drain(hold)),
  })
  const status = await kdc('status', { deployed: { shelf } })
  expect(status).toMatchObject({ code: 0, out: expect.stringContaining("a row can't be read: DRAIN/x: who") })
  expect(status.out).toContain('noisy fan')
  expect(status.out).toMatch(
    /held, and no drain to show: it is beginning, just over, or can't be read\n.*\n.*disk failing/,
  )
  for (const line of ['get drains', `explain ${server}`])
    expect(await kdc(line, { deployed: { shelf } })).toMatchObject({
      code: 0,
      err: "a row can't be read: DRAIN/x: who: is missing\n",
    })
  expect((await found()).findings).toMatchObject([
    { check: 'unreadable-row', what: 'DRAIN/x: who: is missing', mend: expect.stringMatching(/#edges-unre/) },
  ])
})

test('of a drain that is waited for and can not be read nothing is guessed', async () => {
  const { kdc, world } = kdcWorld()
  const shelf = { ...world.memory.store, drain: unread('DRAIN/x') }
  expect(await kdc(`${drain} --wait`, { deployed: { shelf } })).toMatchObject({
    code: 1,
    err: expect.stringContaining('kdc: what is stored can not be read'),
  })
})

test.each(['releases', 'holds'])(
  '%s that can not be read are one finding of doctor, and keep no other from being found',
  async (row) => {
    const { around, shelf, found } = doctorWorld()
    Object.assign(shelf, { [row]: unread(row) })
    around.shown.reserved.set('dispatcher-control-ControlSettleFunction9F', 0)
    const { findings } = await found()
    expect(findings.map(({ check }) => check)).toEqual(['unreadable-row', 'settle-stopped'])
    expect(findings[0]?.what).toContain(`${row}: who: is missing`)
  },
)

test('a drain that can not be read any more is not over to who watches', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain)
  const shelf = { ...world.memory.store }
  const stop = new AbortController()
  world.clock.at(world.clock.now() + minutes, () => Object.assign(shelf, { drain: unread('DRAIN/x') }))
  world.clock.at(world.clock.now() + 2 * minutes, () => stop.abort())
  const { out } = await kdc('watch', { deployed: { shelf }, stopped: stop.signal })
  expect(out).toMatch(/drain {3}\S+ {2}drain/)
  expect(out).not.toMatch(/over\n/)
})

test('an edge that was never read may list what no other lists, and is named', async () => {
  const { kdc, world } = kdcWorld()
  const { store } = world.memory
  const listing = async (edge: string) => (edge === 'edge-b' ? undefined : store.listing(edge))
  expect(await kdc('explain sip:10.0.9.9', { deployed: { shelf: { ...store, listing } } })).toMatchObject({
    code: 1,
    err: expect.stringContaining('; edge-b could not be read, and may list it; '),
  })
})
