import { afterAll, beforeAll } from 'vitest'
import { type World, type WorldOptions, withWorld } from '../../lab/world/world.ts'

/**
 * One emulator, one deploy and one fleet for all tests of a file: starting them costs more than any scenario.
 * @returns the world, from the first test on
 */
export function sharedWorld(options: Omit<WorldOptions, 'kamailio' | 'log'>): () => World {
  const over = Promise.withResolvers<void>()
  let world: World | undefined
  let closed: Promise<void>

  beforeAll(async () => {
    const started = Promise.withResolvers<World>()
    closed = withWorld({ kamailio: '6.1', log: () => undefined, ...options }, async (its) => {
      started.resolve(its)
      await over.promise
    })
    const early = closed.then(() => Promise.reject(new Error('the lab ended')))
    world = await Promise.race([started.promise, early])
  })

  afterAll(async () => {
    over.resolve()
    await closed
  })

  return () => {
    if (world === undefined) throw new Error('the lab is up from the first test on, not before')
    return world
  }
}
