import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import {
  alice,
  command,
  config,
  createWorld,
  everywhere,
  file,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const edit = message('edge-list-update')
const release = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-release-edge', { id: 'release-1', ...changes })

/**
 * A lifecycle drain that has seen a call on edge-b, whose parameter is removed then.
 * @returns the removed edge
 */
async function drainWithRemovedEdge(world: World) {
  const b = world.edge('edge-b')
  b.callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(edit)
  await world.settledAll()
  await world.pass(5 * minutes)
  expect(world.ended()).toEqual([])
  return b
}

test('a drain waits for a removed edge until an operator releases it, who is on record with the reason', async () => {
  const world = createWorld()
  await drainWithRemovedEdge(world)
  expect(await world.command(release())).toMatchObject({ result: 'released', edge: 'edge-b' })
  const words = { who: 'alice', sender: { id: alice }, why: 'its machine is lost, and its calls with it' }
  expect(await world.memory.store.releases()).toMatchObject([
    { edge: 'edge-b', ...words, at: expect.any(Number) },
  ])
  expect(world.memory.events.of('Edge Released')).toEqual([{ version: 1, edge: 'edge-b', ...words }])
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(await world.record()).toMatchObject({ result: 'drained' })
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ released: ['edge-b'], unknown: [] })
})

test('an edge that was removed minutes before a drain began is waited for, and released by the same word', async () => {
  const world = createWorld()
  await world.reconcile()
  world.edge('edge-b').callTo(server)
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(edit)
  await world.settledAll()
  await world.pass(5 * minutes)
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    unknown: [expect.stringContaining('edge-b: no longer configured')],
  })
  await world.command(release())
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('an edge that was removed is waited for no longer than a call lasts by a drain that never saw it', async () => {
  const world = createWorld({ config: { timers: { ...config.timers, longestCallSeconds: 1800 } } })
  await world.reconcile()
  world.memory.fleet.list.splice(1, 1)
  await world.scaleIn()
  await world.pass(25 * minutes)
  expect(world.ended()).toEqual([])
  await world.until((record) => record?.state === 'ended')
  expect(world.age()).toBeLessThan(35 * minutes)
})

test('a disabled entry of the machine that comes in place of a released edge is its own, also where our write to the old one was not answered', async () => {
  const world = createWorld()
  await world.settledAll()
  const b = world.edge('edge-b')
  b.change(({ write }) => ({
    write: async (sent) => {
      b.misbehaviour = { unreachable: true }
      return write(sent)
    },
  }))
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(edit)
  await world.settledAll()
  await world.command(release())
  await world.command(command('command-activate', { id: 'activate-1' }))
  const lines = file.map((line) => ({ ...line, ...(line.uri === server && { flags: 'DX' as const }) }))
  const replacement = world.newEdge({ id: 'edge-b', file: lines, bootedAt: world.clock.now() })
  world.memory.fleet.list.push(replacement)
  await world.lifecycle(edit)
  await world.pass(1 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
})

test('a dry run tells what the edge was last known to carry, and which drains would go on without it', async () => {
  const world = createWorld()
  await drainWithRemovedEdge(world)
  const at = expect.any(Number)
  const dry = (id: string) => world.command(release({ id, dryRun: true }))
  expect(await dry('dry-1')).toMatchObject({
    ...{ result: 'dry-run', edge: 'edge-b', removedAt: at, readAt: at },
    drains: [{ drainId: `lifecycle/i-1234567890abcdef0/drain-calls`, calls: 1 }],
  })
  expect(await world.memory.store.releases()).toEqual([])
  await world.command(release())
  expect(await dry('dry-2')).toMatchObject({ drains: [] })
})

test('of a drain that begins after the removal nothing was counted there: it waits all the same', async () => {
  const world = createWorld()
  await world.reconcile()
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(edit)
  await world.settledAll()
  await world.scaleIn()
  await world.pass(1 * minutes)
  expect(await world.command(release({ id: 'dry-1', dryRun: true }))).toMatchObject({
    drains: [{ drainId: 'lifecycle/i-1234567890abcdef0/drain-calls' }],
  })
})

test('only the released edge is left out: calls on another are waited for', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await drainWithRemovedEdge(world)
  await world.command(release())
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
})

test('an edge that is configured is never released, and nothing is known of one while the list is refused', async () => {
  const world = createWorld()
  await expect(world.command(release())).rejects.toMatchObject({
    name: 'CommandRefused',
    message: expect.stringContaining('edge "edge-b" is configured'),
  })
  world.memory.fleet.list.splice(1, 1)
  const { reread } = world.memory.fleet
  world.memory.fleet.reread = async () => new Error('/dispatcher-control/edges/edge-c: is not JSON')
  await expect(world.command(release({ id: 'release-2' }))).rejects.toMatchObject({ name: 'OutcomePending' })
  expect(await world.memory.store.releases()).toEqual([])
  world.memory.fleet.reread = reread
  expect(await world.command(release({ id: 'release-3', dryRun: true }))).toMatchObject({ result: 'dry-run' })
  expect(await world.memory.store.releases()).toEqual([])
})

test.each([
  ['the edit of the list', (world: World) => world.lifecycle(edit).then(() => world.settledAll())],
  ['the schedule', (world: World) => world.settle()],
])('adding the edge again ends its release, as %s finds: its calls count again', async (_, found) => {
  const world = createWorld()
  const b = await drainWithRemovedEdge(world)
  // Between two looks.
  await world.pass(5 * seconds)
  await world.command(release())
  world.memory.fleet.list.push(b)
  await found(world)
  expect(await world.memory.store.releases()).toEqual([])
  expect(world.memory.events.of('Edge Release Ended')).toMatchObject([{ edge: 'edge-b', who: 'alice' }])
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
})

test('a function whose list is from before the removal does not end the release', async () => {
  const world = createWorld()
  const b = await drainWithRemovedEdge(world)
  await world.command(release())
  world.memory.fleet.list.push(b)
  const { reread } = world.memory.fleet
  world.memory.fleet.reread = async () => {
    world.memory.fleet.list.splice(1, 1)
    return undefined
  }
  await world.settle()
  world.memory.fleet.reread = reread
  expect(await world.memory.store.releases()).toMatchObject([{ edge: 'edge-b' }])
})

test('the same command again is answered, not done again; one that was sent before is late', async () => {
  const world = createWorld()
  const b = await drainWithRemovedEdge(world)
  const later = await world.command(release(), 5)
  expect(await world.command(release(), 5)).toEqual(later)
  expect(world.memory.events.of('Edge Released')).toHaveLength(1)
  world.memory.fleet.list.push(b)
  await world.lifecycle(edit)
  await world.settledAll()
  world.memory.fleet.list.splice(1, 1)
  // The message that released it comes once more, after its outcome was lost; and one from before it.
  expect(await world.command(release({ id: 'release-2' }), 5)).toMatchObject({ result: 'stale' })
  expect(await world.command(release({ id: 'release-3' }), 4)).toMatchObject({ result: 'stale' })
  expect(await world.memory.store.releases()).toEqual([])
  expect(await world.command(release({ id: 'release-4' }), 6)).toMatchObject({ result: 'released' })
})

test.each([
  ['removed', false],
  ['released', true],
])(
  'an edge that was %s and comes back as it was left is given back what was lifted meanwhile',
  async (_, isReleased) => {
    const world = createWorld()
    await world.command(command('command-drain-destination', { id: 'drain-1' }))
    await world.pass(1 * minutes)
    world.memory.fleet.list.splice(1, 1)
    await world.command(command('command-activate', { id: 'activate-1' }))
    await world.until((record) => record?.state === 'ended', 'operator/10.0.1.20:5060;udp/alice')
    if (isReleased) await world.command(release())
    await world.pass(1 * minutes)
    world.memory.fleet.list.push(world.edge('edge-b'))
    await world.lifecycle(edit)
    await world.settledAll()
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  },
)

test('what an edge showed before it was released does not speak for the flags that it comes back with', async () => {
  const world = createWorld()
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  const b = world.edge('edge-b')
  await world.command(release())
  b.writeFile(file.map((line) => ({ ...line, flags: line.uri === server ? 'AX' : line.flags })))
  b.strangerReloads()
  world.memory.fleet.list.push(b)
  await world.lifecycle(edit)
  await world.settledAll()
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.command(command('command-activate', { id: 'activate-1' }))
  expect(world.flags()).toEqual({ ...everywhere('AP', 'IP'), 'edge-b/1': 'AX', 'edge-b/2': 'AX' })
})

test('a release of an edge that nobody ever knew is refused', async () => {
  const world = createWorld()
  await world.settledAll()
  await expect(world.command(release({ edge: 'edge-typo' }))).rejects.toThrow('nobody has ever known')
  expect(await world.memory.store.releases()).toEqual([])
})
