import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const wait = `drain ${server} -m 'disk failing' --wait`

/** What is stored can't be read for as many looks. */
function failing(looks: number, failure: object) {
  const { kdc, world } = kdcWorld()
  let left = looks
  const holds = async () => {
    left -= 1
    if (left >= 0) throw Object.assign(new Error('as it is worded'), failure)
    return world.memory.store.holds()
  }
  const deployed = { shelf: { ...world.memory.store, holds } }
  return { world, run: (words = '') => kdc(`${wait} ${words}`, { deployed }) }
}

test('a network that is away for some looks does not end a wait, and is named once', async () => {
  const { run } = failing(10, { code: 'ENOTFOUND' })
  const { code, err } = await run()
  expect(code).toBe(0)
  expect(err.match(/AWS is not reached/g)).toHaveLength(1)
})

test('a network that is away until --timeout is over ends a wait with 6, and the drain goes on', async () => {
  const { run, world } = failing(Number.POSITIVE_INFINITY, { name: 'TimeoutError' })
  expect(await run('--timeout 2m')).toMatchObject({
    code: 6,
    err: expect.stringContaining('the drain goes on'),
  })
  expect(world.age()).toBeGreaterThanOrEqual(2 * minutes)
})

test('what no second look mends ends a wait at once, and says that the drain goes on', async () => {
  const { run, world } = failing(1, { name: 'AccessDeniedException' })
  expect(await run()).toMatchObject({ code: 1, err: expect.stringContaining('the drain goes on') })
  expect(await world.heldBy()).toHaveLength(1)
})
