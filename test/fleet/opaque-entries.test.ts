import { expect, test } from 'vitest'
import { metricNames } from '../../functions/contracts/names.ts'
import { config, createWorld, facts, file, hours, minutes, neighbour, seconds } from '../world/world.ts'

const strange = { set: 1, uri: 'tel:+12025550100' }
const ofServer = { set: 1, uri: 'sip:10.0.1.20:0' }

test('an entry that can not be read harms nobody, is counted, and is named to who drains there', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', file: [...file, strange] }, { id: 'edge-b' }] })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.memory.metrics.counted.findLast(({ name }) => name === metricNames.opaqueEntries)?.value).toBe(
    1,
  )
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    lacks: [expect.stringContaining('tel:+12025550100')],
  })
})

const patient = config.groups?.map((group) => ({ ...group, drainDeadlineSeconds: 8 * 3600 })) ?? []

test("one that may be the drained server's own makes what its edge shows unknown for as long as a call of its may be up", async () => {
  const world = createWorld({
    config: { groups: patient },
    edges: [{ id: 'edge-a', file: [...file, ofServer] }, { id: 'edge-b' }],
  })
  await world.scaleIn()
  await world.pass(1 * hours)
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: [expect.stringContaining('write it as a SIP URI, or take it off the list, and reload')],
  })
  const a = world.edge('edge-a')
  a.writeFile(file)
  a.strangerReloads()
  await world.pass(2 * hours)
  expect(world.ended()).toEqual([])
  await world.until((record) => record?.state === 'ended')
  expect(world.age()).toBeLessThan(3 * hours + 10 * minutes)
})

test('one that left the list before the drain began may have calls of its server, and none of a machine that was launched later', async () => {
  const lines = [{ set: 1, uri: neighbour, flags: 'AP' } as const]
  for (const launchedAfter of [false, true]) {
    const instances = launchedAfter ? [] : [facts()]
    const world = createWorld({ instances, edges: [{ id: 'edge-a', file: [...lines, ofServer] }] })
    const edge = world.edge('edge-a')
    await world.reconcile()
    edge.callTo(ofServer.uri)
    edge.writeFile(lines)
    edge.strangerReloads()
    await world.pass(10 * seconds)
    await world.reconcile()
    await world.pass(10 * seconds)
    if (launchedAfter) world.memory.instances.put(facts({ launchedAt: world.clock.now() }))
    await world.pass(5 * minutes)
    await world.scaleIn()
    await world.pass(10 * minutes)
    expect(world.ended()).toMatchObject(launchedAfter ? [{ result: 'CONTINUE' }] : [])
  }
})

test('an entry that is listed by a name only is of the instance whose address the edge resolved it to', async () => {
  const named = [{ set: 1, uri: 'sip:media-1.example.internal:5060' }]
  const names = { 'media-1.example.internal': '10.0.1.20' }
  const world = createWorld({ edges: [{ id: 'edge-a', file: named, names }] })
  const call = world.edge('edge-a').callTo('sip:media-1.example.internal:5060')
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(world.flags('sip:media-1.example.internal:5060')).toEqual({ 'edge-a/1': 'DX' })
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

const hidden = 'sip:media-1.example.internal'
const beside = { set: 1, uri: neighbour, flags: 'AP' } as const

test.each([`${hidden}:0`, `${hidden}:5060;x="q"`])(
  'one that names a machine whose address nobody knows keeps a server from being absent: %s',
  async (uri) => {
    const world = createWorld({ edges: [{ id: 'edge-a', file: [beside, { set: 1, uri }] }] })
    await world.scaleIn()
    await world.pass(20 * minutes)
    expect(world.ended()).toEqual([])
  },
)

test('one that names a machine that the settings name as another one keeps nobody', async () => {
  const world = createWorld({
    config: { staticNames: ['media-1.example.internal'] },
    edges: [{ id: 'edge-a', file: [beside, { set: 1, uri: `${hidden}:0` }] }],
  })
  await world.scaleIn()
  await world.pass(20 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test.each([
  ['before the drain', true],
  ['in the middle of the drain', false],
])(
  'a name that nobody knows the address of and that left the list %s may have calls',
  async (_, isBefore) => {
    const world = createWorld({
      edges: [{ id: 'edge-a', file: [beside, { set: 1, uri: `${hidden}:5060`, flags: 'AP' }] }],
    })
    await world.reconcile()
    const edge = world.edge('edge-a')
    edge.callTo(`${hidden}:5060`)
    if (!isBefore) await world.scaleIn()
    await world.pass(5 * minutes)
    edge.writeFile([beside])
    edge.strangerReloads()
    await world.pass(10 * seconds)
    await world.reconcile()
    if (isBefore) await world.scaleIn()
    await world.pass(10 * minutes)
    expect(world.ended()).toEqual([])
  },
)
