import { expect, test } from 'vitest'
import { releaseCommand, reloadCommand } from '../../functions/contracts/command.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { command, createWorld, minutes, seconds, type World } from '../world/world.ts'

const reload = (changes: Readonly<Record<string, unknown>> = {}) => command('command-reload', changes)
const release = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-release-edge', { id: 'release-1', ...changes })
const reloads = (world: World) =>
  world.edges.map(({ requests }) => requests.filter((request) => request === 'dispatcher.reload').length)
/** How often the settle function was asked for a command. */
const asked = (world: World) => world.memory.settles.asked.filter(({ kind }) => kind === 'command').length
const order = '000000000000001'

test('a reload that comes twice is done once, and answered twice', async () => {
  const world = createWorld()
  const first = await world.command(reload(), 1)
  expect(await world.command(reload(), 1)).toEqual(first)
  expect(first).toMatchObject({ id: 'change-4711', result: 'reloaded', requestedBy: 'alice' })
  expect(reloads(world)).toEqual([1, 1])
  expect(asked(world)).toBe(1)
})

test('what is asked for twice at once, and again later, is done once', async () => {
  const world = createWorld()
  for (const edge of world.edges) edge.misbehaviour = { latencyMs: 100 }
  const request = { kind: 'command', command: reloadCommand.parse(reload()), order } as const
  await Promise.all([world.settle(request), world.settle(request)])
  await world.settle(request)
  expect(reloads(world)).toEqual([1, 1])
  expect(world.memory.events.of('Reload Finished')).toHaveLength(1)
  expect(world.memory.events.of('Command Answered')).toHaveLength(1)
})

test('a release that is asked for twice at once, and comes twice, is done once', async () => {
  const world = createWorld()
  await world.settledAll()
  world.memory.fleet.list.pop()
  const request = { kind: 'command', command: releaseCommand.parse(release()), order } as const
  await Promise.all([world.settle(request), world.settle(request)])
  await world.command(release())
  expect(world.memory.events.of('Edge Released')).toHaveLength(1)
  expect(await world.memory.store.releases()).toHaveLength(1)
})

test('an answer that is not there in time makes the message come again, and what is under way is not begun anew', async () => {
  const world = createWorld()
  await world.settledAll()
  for (const edge of world.edges) edge.misbehaviour = { latencyMs: 2900 }
  const from = world.clock.now()
  await expect(world.command(reload(), 1)).rejects.toMatchObject({ name: 'OutcomePending', permanent: false })
  expect(world.clock.now() - from).toBeLessThan(32 * seconds)
  const outcome = async (): Promise<CommandOutcomeRow> =>
    world.command(reload(), 1).catch((error: unknown) => {
      if (asked(world) > 5) throw error
      return outcome()
    })
  expect(await outcome()).toMatchObject({ result: 'reloaded' })
  expect(reloads(world)).toEqual([1, 1])
})

test('a command whose run was killed is done by the next one once its lease is over', async () => {
  const world = createWorld()
  const now = world.clock.now()
  await world.memory.store.takeEdge(`/command/change-4711`, 'killed', now, now + 3.6 * minutes)
  await expect(world.command(reload(), 1)).rejects.toMatchObject({ name: 'OutcomePending' })
  await world.pass(4 * minutes)
  expect(await world.command(reload(), 1)).toMatchObject({ result: 'reloaded' })
})

test('a run that is killed before it keeps its answer publishes it again, rather than never', async () => {
  const world = createWorld()
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(reload(), 1)).rejects.toMatchObject({ name: 'OutcomePending' })
  await world.pass(1 * minutes)
  expect(await world.command(reload(), 1)).toMatchObject({ result: 'reloaded' })
  expect(world.memory.events.of('Command Answered')).toHaveLength(2)
})

test('what can never be done is rejected each time it comes, and asked for once', async () => {
  const world = createWorld()
  for (const _ of [1, 2])
    await expect(world.command(reload({ edge: 'edge-c' }), 1)).rejects.toMatchObject({
      name: 'CommandRefused',
      permanent: true,
      message: expect.stringContaining('edge-a, edge-b'),
    })
  await expect(world.command(release(), 2)).rejects.toThrow('is configured')
  await expect(world.command(release(), 2)).rejects.toThrow('is configured')
  expect(asked(world)).toBe(2)
  expect(world.memory.events.of('Command Answered')).toEqual([])
})

test('what was refused may be sent again with the same id once its reason has been put right', async () => {
  const world = createWorld()
  await expect(world.command(reload({ edge: 'edge-c' }), 1)).rejects.toThrow('no edge is called')
  const c = world.newEdge({ id: 'edge-c' })
  world.memory.fleet.list.push(c)
  await expect(world.command(reload({ edge: 'edge-c' }), 1)).rejects.toThrow('no edge is called')
  expect(await world.command(reload({ edge: 'edge-c' }), 2)).toMatchObject({ result: 'reloaded' })
  expect(await world.command(reload({ edge: 'edge-c' }), 2)).toMatchObject({ result: 'reloaded' })
  expect(c.requests.filter((request) => request === 'dispatcher.reload')).toHaveLength(1)
})

test('an edge whose lease another run has is said not to be reloaded', async () => {
  const world = createWorld()
  await world.settledAll()
  const now = world.clock.now()
  await world.memory.store.takeEdge('edge-a', 'somebody', now, now + 10 * minutes)
  expect(await world.command(reload({ edge: 'edge-a' }), 1)).toMatchObject({
    result: 'incomplete',
    edges: [{ edge: 'edge-a', outcome: 'failed', detail: 'another run has the edge' }],
  })
  expect(reloads(world)).toEqual([0, 0])
})
