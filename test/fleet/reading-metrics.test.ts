import { expect, test } from 'vitest'
import { metricNames } from '../../functions/contracts/names.ts'
import { command, createWorld, minutes, neighbour, seconds, server } from '../world/world.ts'

const group = { group: 'media-servers' }

test('a minute says once what is draining in each group, and by how many calls', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(30 * seconds)
  const { counted } = world.memory.metrics
  const before = counted.length
  await world.settle()
  expect(counted.slice(before).filter(({ name }) => name === metricNames.drainingServers)).toHaveLength(1)
  const last = (name: string) => counted.filter((each) => each.name === name).at(-1)
  expect(last(metricNames.drainingServers)).toMatchObject({ value: 1, dimensions: group })
  expect(last(metricNames.drainingCalls)).toMatchObject({ value: 1, dimensions: group })
  expect(last(metricNames.drainingUnknown)).toMatchObject({ value: 0, dimensions: group })
  expect(last(metricNames.settleDuration)).toMatchObject({ dimensions: {} })

  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  await world.pass(1 * minutes)
  await world.settle()
  expect(last(metricNames.drainingServers)).toMatchObject({ value: 0, dimensions: group })
})

test('a heartbeat that fails is counted', async () => {
  const world = createWorld()
  world.memory.lifecycleActions.failNext('heartbeat', new Error('throttled'))
  await world.scaleIn()
  await world.pass(30 * seconds)
  expect(world.memory.metrics.total(metricNames.heartbeatsFailed)).toBe(1)
})

test('calls per server in service leave draining ones out, and are not said while an edge is away', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  a.callTo(server)
  for (const _ of [1, 2, 3]) b.callTo(neighbour)
  a.callFrom('10.0.1.21')
  await world.scaleIn()
  await world.pass(30 * seconds)
  await world.settle()
  const counts = (name: string) => world.memory.metrics.counted.filter((each) => each.name === name)
  const last = (name: string) => counts(name).at(-1)?.value
  expect(last(metricNames.serversInService)).toBe(1)
  expect(last(metricNames.activeCalls)).toBe(4)
  expect(last(metricNames.activeCallsPerServer)).toBe(4)
  expect(last(metricNames.edgesUnreachable)).toBe(0)

  b.misbehaviour = { unreachable: true }
  await world.pass(30 * seconds)
  const before = counts(metricNames.activeCallsPerServer).length
  await world.settle()
  expect(counts(metricNames.activeCallsPerServer)).toHaveLength(before)
  expect(last(metricNames.serversInService)).toBe(1)
  expect(last(metricNames.edgesUnreachable)).toBe(1)
})

test('a settle that is no minute says nothing, and a minute says what the others have read', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  const counts = () => world.memory.metrics.counted.filter(({ name }) => name === metricNames.drainingCalls)
  await world.settle()
  const before = counts().length
  for (const _ of [1, 2, 3]) a.callTo(server)
  await world.pass(10 * seconds)
  await world.settle({ kind: 'settle', notBefore: world.clock.now() })
  expect(counts()).toHaveLength(before)
  await world.settle()
  const calls = counts().slice(before)
  expect(calls.reduce((sum, { value }) => sum + value, 0)).toBe(3)
})

test('calls in service leave the draining ones out, however long ago their drain began', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  const calls = [1, 2, 3, 4].map(() => a.callTo(server))
  b.callTo(neighbour)
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  const counts = () => world.memory.metrics.counted.filter(({ name }) => name === metricNames.activeCalls)
  for (const left of [4, 1, 0]) {
    for (const call of calls.splice(left)) a.hangUp(call)
    await world.pass(10 * minutes)
    const before = counts().length
    await world.settle()
    expect(counts().slice(before)).toMatchObject([{ value: 1 }])
  }
})
