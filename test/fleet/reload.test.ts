import { expect, test } from 'vitest'
import { oneEdge } from '../world/settle-world.ts'
import {
  command,
  createWorld,
  everywhere,
  file,
  gapsOf,
  isWrite,
  minutes,
  seconds,
  server,
} from '../world/world.ts'

const reload = (changes: Readonly<Record<string, unknown>> = {}) => command('command-reload', changes)
const three = [{ id: 'edge-a' }, { id: 'edge-b' }, { id: 'edge-c' }]

test('one edge is reloaded alone first, then the others; the outcome names every edge', async () => {
  const world = createWorld({ edges: three })
  const outcome = await world.command(reload())
  expect(outcome).toMatchObject({
    result: 'reloaded',
    edges: three.map(({ id }) => ({ edge: id, outcome: 'reloaded', listed: { before: 4, after: 4 } })),
  })
  expect(world.memory.events.of('Reload Finished')).toMatchObject([{ requestedBy: 'alice' }])
})

test('a list that became shorter on the first edge stops the rest, which can be reloaded one by one', async () => {
  const world = createWorld({ edges: three })
  for (const edge of world.edges) edge.writeFile(file.filter(({ uri }) => uri === server))
  expect(await world.command(reload())).toMatchObject({
    result: 'incomplete',
    edges: [
      { edge: 'edge-a', outcome: 'reloaded' },
      { edge: 'edge-b', outcome: 'not-tried', detail: expect.stringContaining('became shorter') },
      { edge: 'edge-c', outcome: 'not-tried' },
    ],
  })
  expect(await world.command(reload({ id: 'reload-2', edge: 'edge-b' }))).toMatchObject({
    result: 'reloaded',
  })
})

test('an empty list on the first edge stops the rest, which keep theirs', async () => {
  const world = createWorld({ edges: three })
  world.edge('edge-a').writeFile([])
  expect(await world.command(reload())).toMatchObject({
    result: 'incomplete',
    edges: [
      { edge: 'edge-a', outcome: 'failed', detail: expect.stringContaining('empty') },
      { edge: 'edge-b', outcome: 'not-tried' },
      { edge: 'edge-c', outcome: 'not-tried' },
    ],
  })
  expect(world.edges.map((edge) => edge.requests.includes('dispatcher.reload'))).toEqual([true, false, false])
})

test('an edge that was reloaded a moment ago is tried again after its reload_delta', async () => {
  const world = createWorld()
  world.edge('edge-a').strangerReloads()
  await world.pass(1 * seconds)
  const started = world.age()
  world.edge('edge-a').strangerSets('d', 1, server)
  expect(await world.command(reload({ edge: 'edge-a' }))).toMatchObject({ result: 'reloaded' })
  expect(world.age() - started).toBeLessThan(20 * seconds)
  expect(
    world.edge('edge-a').requests.filter((request) => request === 'dispatcher.reload').length,
  ).toBeGreaterThan(1)
})

test('what is held is disabled again at once after a reload, and the former flags stay', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(5 * minutes)
  world.stop()
  await world.command(reload())
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
})

test('what is held is disabled again also when the reload takes effect after it was answered', async () => {
  const world = createWorld({ edges: [{ reloadTakesMs: 500 }] })
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(10 * seconds)
  world.stop()
  await world.command(reload())
  await world.pass(5 * seconds)
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('we never write to an edge while we reload it', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  const done = world.command(reload())
  await world.pass(1 * seconds)
  const during = world.command(command('command-drain-destination', { id: 'drain-1' }))
  expect(await during).toMatchObject({
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'applied' },
    ],
  })
  await done
  const writtenAt = a.requests.findIndex((request) => isWrite(request))
  expect(a.requests).toContain('dispatcher.reload')
  expect(writtenAt).toBeGreaterThan(a.requests.indexOf('dispatcher.reload'))
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('two reloads of one edge at once are made one after the other, apart by its reload_delta', async () => {
  const world = createWorld({ edges: [{}] })
  const made: number[] = []
  world.edge('edge-a').change(({ reload }) => ({
    reload: async () => {
      await reload()
      made.push(world.age())
    },
  }))
  const both = await Promise.all([world.command(reload({ id: 'r-1' })), world.command(reload({ id: 'r-2' }))])
  expect(both.map(({ result }) => result)).toEqual(['reloaded', 'reloaded'])
  expect(made).toHaveLength(2)
  expect(Math.min(...gapsOf(made))).toBeGreaterThan(5 * seconds)
})

test('the outcome of a reload says what is held and open all the same', async () => {
  const world = createWorld({ edges: [{}] })
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(10 * seconds)
  world.stop()
  const a = world.edge('edge-a')
  a.misbehaviour = { faults: { 'dispatcher.set_state': 'refused' } }
  expect(await world.command(reload())).toMatchObject({
    result: 'incomplete',
    edges: [{ outcome: 'failed', detail: expect.stringContaining(`${server} in set 1`) }],
  })
})

test('an edge that is away when it is to be reloaded is said to be', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a' }] })
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  expect(await world.command(reload())).toMatchObject({
    result: 'incomplete',
    edges: [{ outcome: 'failed', detail: expect.stringContaining('no answer') }],
  })
})

test('an edge that nobody knows is refused, with the names of those that are known', async () => {
  const world = createWorld()
  await expect(world.command(reload({ edge: 'edge-z' }))).rejects.toThrow(/edge-a, edge-b/)
})

test('a new destination in the file is listed after the reload', async () => {
  const world = createWorld({ edges: [{}] })
  world.edge('edge-a').writeFile([...file, { set: 1, uri: 'sip:10.0.1.22:5060' }])
  expect(await world.command(reload())).toMatchObject({ edges: [{ listed: { before: 4, after: 5 } }] })
})

test('an edge whose list was emptied is reloaded once its file is filled', async () => {
  const world = createWorld()
  world.edge('edge-a').writeFile([])
  world.edge('edge-a').strangerReloads()
  await world.pass(10 * seconds)
  world.edge('edge-a').writeFile(file)
  expect(await world.command(reload({ edge: 'edge-a' }))).toMatchObject({
    result: 'reloaded',
    edges: [{ listed: { before: 0, after: 4 } }],
  })
})

test('a list that loses entries that can not be read became shorter, too', async () => {
  const unreadable = [{ set: 1, uri: 'sip:10.0.1.30:0' }]
  const world = createWorld({
    edges: [{ id: 'edge-a', file: [...file, ...unreadable] }, { id: 'edge-b' }],
  })
  world.edge('edge-a').writeFile(file)
  expect(await world.command(reload())).toMatchObject({
    result: 'incomplete',
    edges: [{ listed: { before: 5, after: 4 } }, { outcome: 'not-tried' }],
  })
})

test('after a reload that was not answered, whoever settles an edge without a fence next waits until it comes no more', async () => {
  const { world, edge } = await oneEdge({ rpcFile: 'none' })
  const { store } = world.memory
  const takeEdge = store.takeEdge
  let failedAt = 0
  const takenAt: number[] = []
  Object.assign(store, {
    takeEdge: async (...lease: Parameters<typeof takeEdge>) => {
      const generation = await takeEdge(...lease)
      if (generation !== undefined && failedAt > 0) takenAt.push(world.clock.now())
      return generation
    },
  })
  edge.change(({ reload: send }) => ({
    reload: async () => {
      edge.misbehaviour = { losesReplies: true }
      try {
        await send()
      } finally {
        failedAt = world.clock.now()
        edge.misbehaviour = {}
      }
    },
  }))
  await world.command(reload({ edge: 'edge-a' }))
  expect(failedAt).toBeGreaterThan(0)
  expect(takenAt[0]).toBeGreaterThanOrEqual(failedAt + 5 * seconds)
})

test('a dry run tells for each edge what it lists, what would have to be held again, and whether a guard keeps calls out until then', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a' }, { id: 'edge-b', guard: false }, { id: 'edge-c' }] })
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.edge('edge-c').misbehaviour = { unreachable: true }
  world.memory.fleet.list.push(world.newEdge({ id: 'edge-d' }))
  await world.pass(10 * seconds)
  await world.settle({ kind: 'settle' })
  world.memory.fleet.list.push(world.newEdge({ id: 'edge-e' }))
  const readAt = expect.any(Number)
  expect(await world.command(reload({ dryRun: true }))).toMatchObject({
    result: 'dry-run',
    edges: [
      { edge: 'edge-a', listed: 4, heldAgain: 2, guarded: true, readAt },
      { edge: 'edge-b', listed: 4, heldAgain: 2, guarded: false, readAt },
      { edge: 'edge-c', unreadable: expect.stringContaining('unreachable') },
      { edge: 'edge-d', listed: 4, heldAgain: 2 },
      { edge: 'edge-e', unreadable: 'it was not read yet' },
    ],
  })
})

test('a reload of an edge that can not be reached names that alone, and leaves since when it can not be read', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a' }, { id: 'edge-b' }] })
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.settle({ kind: 'settle' })
  const since = async () =>
    (await world.memory.store.edgeHeads()).find(({ edge }) => edge === 'edge-b')?.unreadable?.since
  const before = await since()
  await world.pass(3 * minutes)
  expect(await world.command(reload({ edge: 'edge-b' }))).toMatchObject({
    edges: [{ outcome: 'failed', detail: expect.stringMatching(/^(?!.*another run).*unreachable/) }],
  })
  expect(before).toBeDefined()
  expect(await since()).toBe(before)
})
