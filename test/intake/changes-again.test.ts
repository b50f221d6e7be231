import { expect, test } from 'vitest'
import type { FiledChange } from '../../functions/control/filed-change.ts'
import { fileChanges } from '../../functions/intake/file-changes.ts'
import type { Store } from '../../functions/ports/store.ts'
import { message } from '../contracts/event-files.ts'
import type { FileEntry } from '../memory/dispatcher-memory.ts'
import { foundBy, minutesGoBy, onFile, shown } from '../world/changes-on-file.ts'
import { activate, drain, freeze, unfreeze, worldWith } from '../world/clearance-world.ts'
import {
  command,
  createWorld,
  file,
  hours,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const reload = (changes: object = {}) => command('command-reload', { id: 'reload-1', ...changes })
const release = (changes: object = {}) => command('command-release-edge', { id: 'release-1', ...changes })

const edgesOf = (rows: readonly FiledChange[]) =>
  rows.map(({ complete, shown }) => ({
    complete,
    ...Object.fromEntries(shown.flatMap(({ edges, outcome }) => edges.map((edge) => [edge, outcome]))),
  }))

test('an edge that is away is named as such after a minute, and follows when it is back', async () => {
  const world = createWorld()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(90 * seconds)
  world.memory.store.failNext('fileChange', new Error('killed'))
  await world.reconcile().catch(() => undefined)
  await minutesGoBy(world, 2)
  expect(edgesOf(await onFile(world))).toEqual([
    { complete: false, 'edge-a': 'applied', 'edge-b': 'unreachable' },
  ])
  b.misbehaviour = {}
  await minutesGoBy(world)
  const [row] = await onFile(world)
  expect(row).toMatchObject({ kind: 'placed', complete: true, shown: shown('AP', 'DX') })
})

test('what an edge showed before is on record however much is changed before a change is filed', async () => {
  const duids: readonly FileEntry[] = file.map((entry, n) => ({ ...entry, duid: `ms-${n}` }))
  const world = createWorld({ edges: ['edge-a', 'edge-b'].map((id) => ({ id, file: duids })) })
  await world.command(drain(server))
  await world.command(drain(neighbour))
  await minutesGoBy(world)
  expect(await foundBy(world, { destination: server })).toMatchObject([
    { kind: 'placed', shown: shown('AP', 'DX') },
  ])
})

test('what else holds it is told from what this change did', async () => {
  const world = createWorld()
  await world.command(drain(server))
  await minutesGoBy(world)
  await world.alarm(message('alarm-metric-alarm'))
  await minutesGoBy(world)
  expect(await foundBy(world, { destination: server })).toMatchObject([
    { kind: 'placed', hold: { source: 'operator' }, shown: shown('AP', 'DX') },
    { kind: 'placed', hold: { source: 'alarm' }, shown: shown('DX', 'DX') },
  ])
})

test.each([
  ['a drain', drain(server, { dryRun: true })],
  ['an activate', activate(server, { dryRun: true })],
  ['a freeze', freeze({ dryRun: true })],
  ['a reload', reload({ dryRun: true })],
])('a dry run of %s leaves no row', async (_, body) => {
  const world = createWorld()
  await world.command(body)
  await minutesGoBy(world)
  expect(await onFile(world)).toEqual([])
})

test.each([
  ['a floor that it can never keep', drain(server)],
  ['an edge that is configured', release()],
  ['an end that has passed', freeze({ until: '2020-01-01T00:00:00Z' })],
  ['an edge that nobody knows', reload({ edge: 'edge-z' })],
])('a command that is refused for %s leaves no row', async (_, body) => {
  const world = worldWith({ floors: [{ set: 1, count: 2 }] })
  await expect(world.command(body)).rejects.toMatchObject({ name: 'CommandRefused' })
  await minutesGoBy(world)
  expect(await onFile(world)).toEqual([])
})

test('the same message again leaves one row', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await minutesGoBy(world)
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  await minutesGoBy(world)
  expect(await onFile(world)).toHaveLength(1)
  expect((await world.memory.store.openChanges()).changes).toEqual([])
})

const scaleIn = message('lifecycle-terminate-scale-in')
const killed: readonly [string, keyof Store, (world: World) => Promise<unknown>, string[]][] = [
  ['a scale-in', 'putHold', (world) => world.lifecycle(scaleIn), ['placed']],
  ['an alarm', 'placeWaiting', (world) => world.alarm(message('alarm-metric-alarm')), ['placed']],
  ['a drain', 'placeWaiting', (world) => world.command(drain(server), 1), ['placed']],
  ['an activate', 'putHold', (world) => world.command(activate(server), 2), ['placed', 'lifted']],
  ['a freeze', 'putFreeze', (world) => world.command(freeze(), 1), ['frozen']],
  ['its end', 'putFreeze', (world) => world.command(unfreeze, 2), ['frozen', 'freeze-ended']],
  ['a reload', 'putChange', (world) => world.command(reload(), 1), ['reloaded']],
]

test.each(killed)(
  'a run for %s that is killed right after %s leaves its row, once',
  async (of, write, run, kinds) => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    world.beginAction()
    if (of === 'an activate') await world.command(drain(server), 1)
    if (of === 'its end') await world.command(freeze(), 1)
    world.memory.store.failNext(write, new Error('killed'), 'after')
    await run(world).catch(() => undefined)
    expect((await world.memory.store.openChanges()).changes.map(({ kind }) => kind)).toEqual(kinds)
    await world.pass(15 * seconds)
    await run(world)
    await minutesGoBy(world)
    expect((await onFile(world)).map(({ kind, complete }) => ({ kind, complete }))).toEqual(
      kinds.map((kind) => ({ kind, complete: true })),
    )
  },
)

test('what had to wait is on file under when it began, once, also where its message comes again', async () => {
  const world = createWorld()
  await world.command(freeze(), 1)
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(drain(server), 2)).rejects.toThrow('killed')
  await world.pass(10 * minutes)
  const beganAt = world.clock.now()
  await world.command(unfreeze, 3)
  await world.pass(20 * seconds)
  expect(await world.command(drain(server), 2)).toMatchObject({ result: 'duplicate' })
  await minutesGoBy(world)
  const placed = (await onFile(world)).filter(({ kind }) => kind === 'placed')
  expect(placed).toMatchObject([{ at: beganAt, shown: shown('AP', 'DX') }])
})

test('a run that is killed while it files a change files it once', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  for (const when of ['before', 'after'] as const) {
    world.memory.store.failNext('fileChange', new Error('killed'), when)
    await world.reconcile().catch(() => undefined)
  }
  await minutesGoBy(world)
  expect(await onFile(world)).toMatchObject([{ kind: 'placed', complete: true, shown: shown('AP', 'DX') }])
})

test('a change that can not be filed keeps no other one back', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(unfreeze)
  world.memory.store.failNext('fileChange', new Error('throttled'))
  await expect(world.reconcile()).rejects.toThrow('throttled')
  expect(await onFile(world)).toMatchObject([{ kind: 'freeze-ended' }])
})

const reachable = { unreachable: false }

test('an edge that is away for days holds no row open for longer than some hours, nor keeps others back', async () => {
  const world = createWorld()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.command(drain(server))
  await minutesGoBy(world, 2)
  const [away] = edgesOf(await onFile(world))
  expect(away).toEqual({ complete: false, 'edge-a': 'applied', 'edge-b': 'unreachable' })
  const { store } = world.memory
  const fileAfter = (ms: number) => {
    const now = world.clock.now() + ms
    return fileChanges({ store, clock: { ...world.clock, now: () => now } })
  }
  await fileAfter(5 * hours)
  expect((await store.openChanges()).changes).toHaveLength(1)
  await fileAfter(6 * hours)
  expect((await store.openChanges()).changes).toEqual([])
  b.misbehaviour = reachable
  await minutesGoBy(world)
  expect(edgesOf(await onFile(world))).toEqual([away])
})

test('what is on file already, and waits for an edge, is filed after what is not', async () => {
  const world = createWorld()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.command(drain(server))
  await minutesGoBy(world, 2)
  await world.command(freeze())
  b.misbehaviour = reachable
  await world.pass(1 * minutes)
  const { store } = world.memory
  const filed: string[] = []
  const noting: Store = {
    ...store,
    fileChange: async (change) => {
      filed.push(change.kind)
    },
  }
  await fileChanges({ store: noting, clock: world.clock })
  expect(filed).toEqual(['frozen', 'placed'])
})

test('a row that can not be read fails when all others are filed', async () => {
  const world = createWorld()
  await world.command(freeze())
  const { store } = world.memory
  const openChanges = async () => ({ ...(await store.openChanges()), unread: ['CHANGES/1: kind'] })
  await expect(fileChanges({ store: { ...store, openChanges }, clock: world.clock })).rejects.toThrow(
    'CHANGES/1: kind',
  )
  expect(await onFile(world)).toMatchObject([{ kind: 'frozen' }])
})

test('what waits for an edge that is away asks the store for nothing of its own', async () => {
  const world = createWorld()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.command(drain(server))
  await minutesGoBy(world, 2)
  expect((await world.memory.store.openChanges()).changes).not.toEqual([])
  world.memory.store.failNext('hold', new Error('asked'))
  await expect(fileChanges({ store: world.memory.store, clock: world.clock })).resolves.toBe(undefined)
})

test('what an edge lists is read once a run, however many changes it has never shown', async () => {
  const others = file.map((entry, n) => ({ ...entry, uri: `sip:10.0.9.${n}:5060` }))
  const world = createWorld({ edges: [{ id: 'edge-a' }, { id: 'edge-b', file: others }] })
  await world.command(drain(server))
  await world.command(drain(neighbour))
  await world.pass(1 * minutes)
  const { store } = world.memory
  const read: string[] = []
  const noting: Store = {
    ...store,
    listing: async (edge) => {
      read.push(edge)
      return store.listing(edge)
    },
  }
  await fileChanges({ store: noting, clock: world.clock })
  expect(edgesOf(await onFile(world))).toEqual([
    { complete: true, 'edge-a': 'applied', 'edge-b': 'unlisted' },
    { complete: true, 'edge-a': 'applied', 'edge-b': 'unlisted' },
  ])
  expect(read).toEqual(['edge-b'])
})

test('an edge that was removed before it was read is named as such', async () => {
  const world = createWorld()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.command(drain(server))
  await minutesGoBy(world, 2)
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(message('edge-list-update'))
  await minutesGoBy(world)
  expect(await onFile(world)).toMatchObject([
    {
      complete: true,
      shown: [{ edges: ['edge-a'] }, { edges: ['edge-b'], detail: 'it was removed before it was read' }],
    },
  ])
})
