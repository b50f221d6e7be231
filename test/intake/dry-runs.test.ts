import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { activate, drain, freeze, unfreeze, worldWith } from '../world/clearance-world.ts'
import { command, createWorld, instanceId, minutes, neighbour, server } from '../world/world.ts'

describe('a dry run changes nothing', () => {
  /** What changes what is wanted, or an edge. Settle stores its readings, as each minute. */
  const changes =
    /^(store\.(putHold|retire|putWaiting|dropWaiting|placeWaiting|putFreeze|putDrain|raiseWanted|putRelease|seeRequest|putPendingOutcome|dropPendingOutcome|putEdgeRecords)|workflows\.start|edge\.(write|reload|endCalls)|lifecycleActions\.)/

  test.each([
    ['may-restart', command('command-may-restart')],
    ['drain', drain(server, { dryRun: true })],
    ['drain of an instance', command('command-drain-instance', { id: 'dry-drain', dryRun: true })],
    ['activate', activate(server, { dryRun: true })],
    ['freeze', freeze({ dryRun: true })],
    ['unfreeze', { ...unfreeze, dryRun: true }],
    ['reload', command('command-reload', { id: 'dry-reload', dryRun: true })],
    ['release', command('command-release-edge', { id: 'dry-release', dryRun: true })],
  ])('%s: neither the store nor an edge, and the only event is its answer', async (_, body) => {
    let seen: string[] = []
    const world = createWorld({
      edges: [{ id: 'edge-a' }, { id: 'edge-b' }, { id: 'edge-c' }],
      watch: { before: (method) => changes.test(method) && seen.push(method) },
    })
    await world.settledAll()
    world.memory.fleet.list.splice(1, 1)
    await world.lifecycle(message('edge-list-update'))
    await world.command(drain(server, { id: 'held' }))
    await world.pass(1 * minutes)
    await world.command(freeze({ id: 'freeze-0' }))
    await world.command(drain(server, { id: 'waits', requestedBy: 'bob' }))
    await world.pass(1 * minutes)
    await world.settledAll()
    const before = world.memory.events.published.length
    world.stop()
    seen = []
    expect(await world.command(body)).toMatchObject({ result: expect.stringMatching(/^(dry-run|no)$/) })
    await world.settledAll()
    expect(seen).toEqual([])
    const published = world.memory.events.published.slice(before)
    expect(published.map(({ type }) => type)).toEqual(['Command Answered'])
  })
})

describe('what would be refused is refused in the dry run, with the same words', () => {
  const twice = [
    { set: 1, uri: server },
    { set: 1, uri: server },
  ]
  test.each([
    ['an unknown destination', createWorld, drain('sip:10.9.9.9:5060')],
    ['a destination that is listed twice', () => createWorld({ edges: [{ file: twice }] }), drain(server)],
    ['a drain that can never begin', () => worldWith({ floors: [{ set: 1, count: 2 }] }), drain(neighbour)],
    ['a freeze that has ended', createWorld, freeze({ until: '2020-01-01T00:00:00Z' })],
    ['an unknown edge', createWorld, command('command-reload', { edge: 'edge-z' })],
    ['a release of a configured edge', createWorld, command('command-release-edge')],
    ['a release of an edge that nobody knew', createWorld, command('command-release-edge', { edge: 'z' })],
    ['the lift of a lifecycle hold', createWorld, activate(server, { holdId: `${instanceId}/drain-calls` })],
  ] as const)('%s', async (_, worldOf, body) => {
    const refusal = async (asked: object) => {
      const world = worldOf()
      await world.scaleIn()
      return world.command(asked).then(
        () => 'done',
        (error: Error) => `${error.name}: ${error.message}`,
      )
    }
    const real = await refusal(body)
    expect(real).not.toBe('done')
    expect(await refusal({ ...body, dryRun: true })).toBe(real)
  })
})

test('what waits beyond its own end takes no place of what a dry run foresees', async () => {
  const world = worldWith({ atOnce: 1 })
  const until = new Date(world.clock.now() + 1 * minutes).toISOString()
  await world.command(freeze({ until }))
  await world.command(drain(server, { until }))
  await world.pass(1 * minutes)
  const dry = await world.command(drain(neighbour, { dryRun: true }))
  expect(dry).toMatchObject({ result: 'dry-run', clearance: { begins: true } })
  expect(await world.command(drain(neighbour, { id: 'in-earnest' }))).toMatchObject({ result: 'started' })
})

test("a dry run keeps the place of one's own request, also where that waits beyond its end", async () => {
  const world = worldWith({ atOnce: 1 })
  const until = new Date(world.clock.now() + 2 * minutes).toISOString()
  await world.command(freeze({ until }))
  await world.command(drain(server, { until }))
  await world.pass(1 * minutes)
  await world.command(drain(neighbour, { requestedBy: 'bob' }))
  await world.pass(1 * minutes)
  const dry = await world.command(drain(server, { id: 'dry', dryRun: true }))
  expect(dry).toMatchObject({ result: 'dry-run', clearance: { begins: true } })
  expect(await world.command(drain(server, { id: 'in-earnest' }))).toMatchObject({ result: 'started' })
})

test('a dry run of a freeze names nothing that waits beyond its own end', async () => {
  const world = worldWith({ atOnce: 1 })
  const until = new Date(world.clock.now() + 1 * minutes).toISOString()
  await world.command(freeze({ until }))
  await world.command(drain(server, { until }))
  const dry = freeze({ id: 'dry', dryRun: true })
  expect(await world.command(dry)).toMatchObject({ waiting: [{ who: 'alice' }] })
  await world.pass(1 * minutes)
  expect(await world.command({ ...dry, id: 'dry-2' })).toMatchObject({ waiting: [] })
})
