import { expect, test } from 'vitest'
import type { Drain } from '../../functions/control/drain.ts'
import { RecordMissing } from '../../functions/control/errors.ts'
import { lookPayload } from '../../functions/control/look-payload.ts'
import { look } from '../../functions/drain/look.ts'
import { present } from '../present.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  everywhere,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

/** The drain's row is deleted at this moment. */
function loseRow(world: World, id = drainId): void {
  let row: Drain | undefined
  const putDrain = async (record: Drain) => {
    if ((row?.version ?? 0) !== record.version - 1) return 'conflict'
    row = structuredClone(record)
    return 'written'
  }
  Object.assign(world.memory.store, {
    drain: async (asked: string) => (asked === id ? structuredClone(row) : undefined),
    ...{ putDrain, beginDrain: putDrain },
  })
}

test('a record that is lost is made anew of its hold: the drain waits for its calls, and completes its action', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  const before = await world.record()
  loseRow(world)
  await world.pass(20 * minutes)
  expect(world.memory.metrics.total('RecordsMissing')).toBe(1)
  expect(world.ended()).toEqual([])
  expect(world.flags()).toEqual(everywhere('DX'))
  const { who, order, deadlineAt, lifecycle } = before ?? {}
  expect(await world.record()).toMatchObject({ who, order, deadlineAt, lifecycle, state: 'draining' })
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('where the hold is lost too, what the execution keeps alive tells whose drain it is', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  loseRow(world)
  const { hold, holds } = world.memory.store
  let isLost = true
  Object.assign(world.memory.store, {
    hold: async (...key: Parameters<typeof hold>) => (isLost ? undefined : hold(...key)),
    holds: async () => (isLost ? [] : holds()),
  })
  await world.pass(1 * minutes)
  isLost = false
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
})

test('a retained instance whose record is lost stays until its calls are over, and is terminated then', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 600,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }))
  const world = createWorld({ config: { groups } })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.retainedAt !== undefined)
  await world.pass(1 * minutes)
  loseRow(world)
  await world.pass(20 * minutes)
  expect(world.memory.lifecycleActions.terminated).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.lifecycleActions.terminated).toMatchObject([{ instanceId }])
})

test('a record that is lost and made anew by a former attempt is taken up by the one that runs', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  // A waking: the execution of the first attempt waits, and ends when it looks again.
  const drain = present(await world.memory.store.drain(drainId), drainId)
  const second = { ...drain, attempt: 2, version: drain.version + 1 }
  await world.memory.store.putDrain(second)
  const { timers } = world.ports.config
  await world.ports.workflows.start(lookPayload(second, 'calls-up', world.clock.now(), timers))
  await world.pass(1 * seconds)
  loseRow(world)
  await look(world.ports, world.payload())
  expect(await world.record()).toMatchObject({ attempt: 1 })
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('an operator’s drain whose record is lost goes on with who asked for it, and what for', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  const [hold] = await world.memory.store.holds()
  const id = `operator/${hold?.id}`
  const before = await world.record(id)
  expect(before).toBeDefined()
  loseRow(world, id)
  await world.pass(5 * minutes)
  const { who, why, order, deadlineAt, uris } = before ?? {}
  expect(await world.record(id)).toMatchObject({ who, why, order, deadlineAt, uris })
  world.edge('edge-a').hangUp(call)
  await world.pass(5 * minutes)
  expect(await world.record(id)).toMatchObject({ state: 'drained' })
})

test('a drain whose hold is lost, and was lifted since, ends', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  const hold = present((await world.memory.store.holds())[0], 'its hold')
  await world.pass(1 * minutes)
  Object.assign(world.memory.store, { hold: async () => undefined, holds: async () => [] })
  await world.memory.store.seeRequest(hold, `${hold.order}~`, 'lift')
  await world.pass(5 * minutes)
  expect(await world.record(`operator/${hold.id}`)).toMatchObject({ state: 'ended', result: 'lifted' })
  expect(world.memory.events.of('Drain Ended')).toHaveLength(1)
})

test('a drain of which neither record nor hold nor action is left is a named error, and is counted', async () => {
  const world = createWorld()
  const payload = {
    drainId: 'operator/x',
    attempt: 1,
    next: 'observe',
    waitSeconds: 5,
    retrySeconds: 5,
  } as const
  await expect(look(world.ports, payload)).rejects.toThrow(RecordMissing)
  expect(world.memory.metrics.total('RecordsMissing')).toBe(1)
})
