import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
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
  expect(err).toContain('it waits to begin')
  expect(err).not.toContain('its hold was lifted')
  expect(code).toBe(0)
})
