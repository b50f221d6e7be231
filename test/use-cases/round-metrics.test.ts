import { expect, test } from 'vitest'
import { metricNames } from '../../functions/contracts/names.ts'
import { freshRound } from '../../functions/use-cases/round.ts'
import { command, createWorld, hours, minutes, neighbour, seconds, server } from './world.ts'

const group = { group: 'media-servers' }

test('a round says once what is draining in each group, and by how many calls', async () => {
  const world = createWorld()
  const call = world.edges[0]?.callTo(server) ?? 0
  await world.scaleIn()
  await world.pass(30 * seconds)
  const { counted } = world.memory.metrics
  const last = (name: string) => counted.filter((each) => each.name === name).at(-1)
  expect(last(metricNames.drainingServers)).toMatchObject({ value: 1, dimensions: group })
  expect(last(metricNames.drainingCalls)).toMatchObject({ value: 1, dimensions: group })
  expect(last(metricNames.drainingUnknown)).toMatchObject({ value: 0, dimensions: group })
  expect(last(metricNames.roundDuration)).toMatchObject({ dimensions: {} })

  world.edges[0]?.hangUp(call)
  await world.until((record) => record?.state === 'retired')
  await world.pass(1 * minutes)
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
  const [a, b] = world.edges
  a?.callTo(server)
  for (const _ of [1, 2, 3]) b?.callTo(neighbour)
  a?.callFrom('10.0.1.21')
  await world.scaleIn()
  await world.pass(30 * seconds)
  const said = (name: string) => world.memory.metrics.counted.filter((each) => each.name === name)
  const last = (name: string) => said(name).at(-1)?.value
  expect(last(metricNames.serversInService)).toBe(1)
  expect(last(metricNames.activeCalls)).toBe(4)
  expect(last(metricNames.activeCallsPerServer)).toBe(4)

  if (b) b.misbehaviour = { unreachable: true }
  await world.pass(30 * seconds)
  const before = said(metricNames.activeCallsPerServer).length
  await world.pass(1 * minutes)
  expect(said(metricNames.activeCallsPerServer)).toHaveLength(before)
  expect(last(metricNames.serversInService)).toBe(1)
})

test('calls in service are not said by a round that did not count the draining ones itself', async () => {
  const world = createWorld()
  const [a, b] = world.edges
  const calls = [1, 2, 3, 4].map(() => a?.callTo(server) ?? 0)
  b?.callTo(neighbour)
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * hours)
  await freshRound(world.ports)
  const said = () => world.memory.metrics.counted.filter(({ name }) => name === metricNames.activeCalls)
  const before = said().length
  expect(said().at(-1)?.value).toBe(1)
  for (const call of calls.slice(1)) a?.hangUp(call)
  await world.pass(10 * seconds)
  await freshRound(world.ports)
  expect(said()).toHaveLength(before)
  await world.pass(1 * minutes)
  await freshRound(world.ports)
  expect(said().slice(before)).toMatchObject([{ value: 1 }])
})
