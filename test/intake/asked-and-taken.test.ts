import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { drain, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import { createWorld, neighbour, seconds, server, type World } from '../world/world.ts'

const sources: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a lifecycle hook': (world) => world.scaleIn(),
  'an alarm': (world) => world.alarm(message('alarm-metric-alarm')),
  'a command': (world) => world.command(drain(server)),
}

test.each(Object.entries(sources))(
  'a drain that %s asks for is published as started within a second, with when it was asked for',
  async (_, ask) => {
    const world = createWorld()
    const requestedAt = world.clock.now()
    await ask(world)
    await world.pass(1 * seconds)
    expect(publishedIn(world, 'Drain Started')).toMatchObject([{ requestedAt }])
  },
)

test.each(Object.entries(sources).slice(1))(
  'one that %s asks for and that may not begin is published as waiting when it is taken',
  async (_, ask) => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    await world.command(drain(neighbour))
    await ask(world)
    expect(publishedIn(world, 'Drain Waiting')).toHaveLength(1)
  },
)
