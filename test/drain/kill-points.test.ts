import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import {
  command,
  createWorld,
  everywhere,
  facts,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const writing =
  /^(store\.(put|raise|take|give|drop|retire|see|release)|edge\.(write|reload|endCalls)|lifecycleActions|workflows|events|deadLetters)/

/**
 * Runs a story once to see how many writes it makes, and then once for each of them: the process that makes
 * the n-th write is killed right after it (or right before it), with all else that it was doing.
 */
async function killedAtEveryWrite<T>(
  when: 'before' | 'after',
  story: (world: World, deliver: (work: () => Promise<unknown>) => Promise<void>) => Promise<T>,
): Promise<{ whole: T; killed: T[] }> {
  const run = async (killAt: number): Promise<{ end: T; writes: number }> => {
    let writes = 0
    let killedAt: number | undefined
    const die = (method: string) => {
      if (killedAt === world.clock.now()) throw new Error('killed')
      if (!writing.test(method)) return
      writes += 1
      if (writes !== killAt) return
      killedAt = world.clock.now()
      throw new Error(`killed ${when} ${method}`)
    }
    const world: World = createWorld({
      watch:
        when === 'before'
          ? { before: die }
          : {
              before() {
                if (killedAt === world.clock.now()) throw new Error('killed')
              },
              after: die,
            },
    })
    const end = await story(world, (work) => world.deliver(work))
    world.stop()
    return { end, writes }
  }
  const whole = await run(0)
  expect(whole.writes).toBeGreaterThan(10)
  const killed: T[] = []
  for (let n = 1; n <= whole.writes; n++) killed.push((await run(n)).end)
  return { whole: whole.end, killed }
}

/**
 * What was left to be done is done by the settle of the next minute, once no killed run has the edge any
 * more.
 */
async function aMinute(
  world: World,
  deliver: (work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await world.pass(1 * minutes)
  await deliver(() => world.reconcile())
}

const both = ['before', 'after'] as const

test.each(both)('a scale-in that is killed %s any single write ends the same', async (when) => {
  const { whole, killed } = await killedAtEveryWrite(when, async (world, deliver) => {
    const a = world.edge('edge-a')
    const call = a.callTo(server)
    world.beginAction()
    await deliver(() => world.lifecycle(message('lifecycle-terminate-scale-in')))
    await world.pass(1 * minutes)
    a.hangUp(call)
    await world.until((record) => record?.state === 'ended')
    await world.pass(30 * seconds)
    world.memory.instances.setState(instanceId, 'terminated')
    await deliver(() => world.lifecycle(message('terminate-successful')))
    await world.until((record) => record?.state === 'ended')
    return {
      flags: world.flags(),
      held: await world.heldBy(),
      former: await world.formerFlags(),
      ended: world.ended().map(({ result, by, at }) => ({ result, by, afterTheCall: at > 70 * seconds })),
      result: (await world.record()).result,
    }
  })
  expect(whole).toEqual({
    flags: everywhere('DX'),
    held: [`retired/${instanceId}/drain-calls`],
    former: everywhere('AP', 'IP'),
    ended: [{ result: 'CONTINUE', by: 'completion', afterTheCall: true }],
    result: 'drained',
  })
  for (const end of some(killed)) expect(end).toEqual(whole)
})

test.each(both)('drain and activate that are killed %s any single write end the same', async (when) => {
  const { whole, killed } = await killedAtEveryWrite(when, async (world, deliver) => {
    await deliver(() => world.command(command('command-drain-instance', { id: 'drain-1' }), 1))
    // Longer than a settle that was killed has the lease of an edge.
    await world.pass(60 * seconds)
    const held = world.flags()
    await deliver(() =>
      world.command(command('command-activate', { id: 'activate-1', source: 'operator' }), 2),
    )
    await world.until((record) => record?.state === 'ended', `operator/${instanceId}/alice`)
    await aMinute(world, deliver)
    return {
      held,
      flags: world.flags(),
      holds: await world.memory.store.holds(),
      former: await world.formerFlags(),
      guarded: world.edges.flatMap((edge) => edge.truth().held),
    }
  })
  expect(whole).toEqual({
    held: everywhere('DX'),
    flags: everywhere('AP', 'IP'),
    holds: [],
    former: {},
    guarded: [],
  })
  for (const end of some(killed)) expect(end).toEqual(whole)
})

test.each(both)('an alarm and its OK that are killed %s any single write end the same', async (when) => {
  const { whole, killed } = await killedAtEveryWrite(when, async (world, deliver) => {
    await deliver(() => world.alarm(message('alarm-metric-alarm')))
    await world.pass(30 * seconds)
    await deliver(() => world.alarm(message('alarm-metric-ok')))
    await world.until((record) => record?.state === 'ended', 'alarm/media-server-cpu')
    await aMinute(world, deliver)
    return {
      flags: world.flags(),
      holds: await world.memory.store.holds(),
      former: await world.formerFlags(),
    }
  })
  expect(whole).toEqual({ flags: everywhere('AP', 'IP'), holds: [], former: {} })
  for (const end of some(killed)) expect(end).toEqual(whole)
})

test.each(both)('a launch that is killed %s any single write ends the same', async (when) => {
  const newcomer = 'i-0fedcba9876543210'
  const { whole, killed } = await killedAtEveryWrite(when, async (world, deliver) => {
    world.beginAction()
    await deliver(() => world.lifecycle(message('lifecycle-terminate-scale-in')))
    await world.until((record) => record?.state === 'ended')
    world.memory.instances.setState(instanceId, 'terminated')
    await world.until((record) => record?.state === 'ended')
    world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
    const token = '87654321-4321-4321-4321-210987654324'
    world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
    await deliver(() => world.lifecycle(message('lifecycle-launch-scale-out', { EC2InstanceId: newcomer })))
    await aMinute(world, deliver)
    return {
      flags: world.flags(),
      held: await world.heldBy(),
      former: await world.formerFlags(),
      ended: world.ended().map(({ result, by }) => ({ result, by })),
    }
  })
  const continued = { result: 'CONTINUE', by: 'completion' }
  expect(whole).toEqual({
    flags: everywhere('AP', 'IP'),
    held: [],
    former: {},
    ended: [continued, continued],
  })
  for (const end of some(killed)) expect(end).toEqual(whole)
})
