import { describe, expect, test } from 'vitest'
import { filedForm } from '../../functions/control/filed-change.ts'
import { message } from '../contracts/event-files.ts'
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
    expect(await world.command(freeze({ until }), 1)).toMatchObject({ result: 'stale' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
  })
  test('that comes late, when its own end has come, is not answered as if it froze anything', async () => {
    const world = createWorld()
    const late = freeze({ until: new Date(world.clock.now() + 1 * minutes).toISOString() })
    await world.pass(2 * minutes)
    expect(await world.command(late, 1)).toMatchObject({ result: 'stale' })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
  })
  test("that comes late, when its own end has come, leaves another's in force, and publishes nothing", async () => {
    const world = createWorld()
    const late = freeze({ id: 'freeze-2', until: new Date(world.clock.now() + 1 * minutes).toISOString() })
    await world.command(freeze({ requestedBy: 'bob', reason: 'carrier work' }), 1)
    await world.pass(2 * minutes)
    expect(await world.command(late, 2)).toMatchObject({ result: 'stale', frozen: { who: 'bob' } })
    expect(publishedIn(world, 'Frozen')).toMatchObject([{ who: 'bob' }])
    expect(await world.command(drain(server))).toMatchObject({ result: 'waiting' })
  })
  test('whose run was killed before it was published is published, though its end has come', async () => {
    const world = createWorld()
    const until = new Date(world.clock.now() + 1 * minutes).toISOString()
    world.memory.store.failNext('putFreeze', new Error('killed'), 'after')
    await expect(world.command(freeze({ until }), 1)).rejects.toThrow('killed')
    await world.pass(2 * minutes)
    expect(await world.command(freeze({ until }), 1)).toMatchObject({ result: 'stale' })
    expect(publishedIn(world, 'Frozen')).toHaveLength(1)
  })
  test('that takes the place of another names it: answer, event and record, also when it comes again', async () => {
    const world = createWorld()
    const since = world.clock.now()
    await world.command(freeze({ requestedBy: 'bob', reason: 'carrier work' }), 1)
    await world.pass(1 * minutes)
    const until = new Date(world.clock.now() + 9 * minutes).toISOString()
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    const shorter = freeze({ id: 'freeze-2', until })
    await expect(world.command(shorter, 2)).rejects.toThrow('killed')
    const replaces = { who: 'bob', why: 'carrier work', since }
    expect(await world.command(shorter, 2)).toMatchObject({ result: 'frozen', replaces })
    expect(publishedIn(world, 'Frozen')).toMatchObject([{ who: 'bob' }, { replaces }, { replaces }])
    const dryRun = { ...unfreeze, id: 'dry-run', dryRun: true }
    expect(await world.command(dryRun)).toMatchObject({ frozen: { who: 'alice', replaces } })
    const forms = (await world.memory.store.openChanges()).changes.map((change) => filedForm(change, []))
    expect(forms.filter(({ kind, who }) => kind === 'frozen' && who === 'alice')).toMatchObject([
      { former: { who: 'bob', why: 'carrier work' }, replaces: { since } },
    ])
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

test("a freeze that comes while an alarm's OK is worked on is kept: the OK lifts nothing any more", async () => {
  const world = createWorld()
  await world.alarm(message('alarm-metric-alarm'))
  await world.pass(1 * minutes)
  const { holds } = world.memory.store
  Object.assign(world.memory.store, {
    holds: async () => {
      Object.assign(world.memory.store, { holds })
      await world.command(freeze())
      return holds()
    },
  })
  await world.alarm(message('alarm-metric-ok'))
  expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
})
