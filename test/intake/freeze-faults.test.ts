import { describe, expect, test } from 'vitest'
import { drain, freeze, unfreeze } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import { command, createWorld, everywhere, facts, instanceId, minutes, server } from '../world/world.ts'

const serversHold = 'operator/10.0.1.20:5060;udp/alice'

describe('a freeze', () => {
  test('that was sent before the end of the one in force, and comes after it, stands', async () => {
    const world = createWorld()
    const at = (later: number) => new Date(world.clock.now() + later).toISOString()
    await world.command(freeze({ until: at(2 * minutes) }), 1)
    const longer = freeze({ id: 'freeze-2', until: at(60 * minutes) })
    await world.pass(2 * minutes)
    await world.sweep()
    expect(await world.command(longer, 2)).toMatchObject({ result: 'frozen' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'waiting' })
  })
  test('that comes twice, its end between, stays ended', async () => {
    const world = createWorld()
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    await expect(world.command(freeze(), 1)).rejects.toThrow('killed')
    await world.command(unfreeze, 2)
    expect(await world.command(freeze(), 1)).toMatchObject({ result: 'stale' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
  })
  test('that comes again when its own end has come is answered, not refused', async () => {
    const world = createWorld()
    const until = new Date(world.clock.now() + 1 * minutes).toISOString()
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    await expect(world.command(freeze({ until }), 1)).rejects.toThrow('killed')
    await world.pass(1 * minutes)
    await world.sweep()
    expect(await world.command(freeze({ until }), 1)).toMatchObject({ result: 'frozen' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
  })
  test('that comes after its end, which was sent later, holds nothing up', async () => {
    const world = createWorld()
    expect(await world.command(unfreeze, 2)).toMatchObject({ result: 'not-frozen' })
    expect(await world.command(freeze(), 1)).toMatchObject({ result: 'stale' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
  })
  test('whose end was killed when it was written is ended, and published, when that comes again', async () => {
    const world = createWorld()
    await world.command(freeze(), 1)
    await world.command(drain(server))
    world.memory.store.failNext('putFreeze', new Error('killed'), 'after')
    await expect(world.command(unfreeze, 2)).rejects.toThrow('killed')
    expect(await world.command(unfreeze, 2)).toMatchObject({ result: 'unfrozen' })
    expect(publishedIn(world, 'Freeze Ended')).toHaveLength(1)
    expect(await world.heldBy()).toEqual([serversHold])
  })
  test("keeps an operator's hold of a machine that is gone, until another machine has its address", async () => {
    const world = createWorld()
    const minutesLater = async () => {
      for (const each of [1, 1, 1]) {
        await world.reconcile()
        await world.pass(each * minutes)
      }
    }
    await world.command(command('command-drain-instance', { id: 'drain-1' }))
    await world.command(freeze())
    world.memory.instances.put(facts({ state: 'terminated' }))
    await minutesLater()
    expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
    const newcomer = { instanceId: 'i-0fedcba9876543210', launchedAt: world.clock.now() }
    world.memory.instances.put(facts(newcomer))
    await minutesLater()
    expect(await world.heldBy()).toEqual([])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  })
})
