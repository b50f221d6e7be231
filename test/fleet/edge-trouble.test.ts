import { expect, test } from 'vitest'
import type { MemoryEdge } from '../memory/edge.ts'
import {
  createWorld,
  everywhere,
  file,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

async function draining(world: World): Promise<{ a: MemoryEdge; call: number }> {
  const a = world.edge('edge-a')
  const call = a.callTo(server)
  await world.scaleIn()
  await world.pass(3 * minutes)
  return { a, call }
}

test.each([
  ['a restart', (edge: MemoryEdge) => edge.restart(), 'AP'],
  ['a reload by a stranger', (edge: MemoryEdge) => edge.strangerReloads(), 'AP'],
  ['a set_state by a stranger', (edge: MemoryEdge) => edge.strangerSets('a', 1, server), 'AX'],
])(
  '%s mid-drain is corrected at the next round, and what it showed then is what will be given back',
  async (_, trouble, former) => {
    const world = createWorld()
    const { a } = await draining(world)
    trouble(a)
    expect(world.flags()['edge-a/1']).not.toBe('DX')
    await world.pass(30 * seconds)
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(world.memory.events.of('Drift Corrected')).toMatchObject([{ edge: 'edge-a' }])
    expect(await world.formerFlags()).toEqual({ ...everywhere('AP', 'IP'), 'edge-a/1': former })
  },
)

test('an edge that restarted and may have forgotten calls is not believed until the longest call is over', async () => {
  const world = createWorld({
    config: { timers: { failoverWindowSeconds: 10, longestCallSeconds: 1800 } },
  })
  const { a } = await draining(world)
  a.restart()
  await world.pass(29 * minutes)
  expect(world.ended()).toEqual([])
  await world.pass(5 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('an edge that restores its dialogs is believed again after the fail-over window', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', restoresDialogs: true }] })
  const { a, call } = await draining(world)
  a.restart()
  await world.pass(5 * minutes)
  expect(world.ended()).toEqual([])
  a.hangUp(call)
  await world.pass(3 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a zero is counted anew after a stranger activated the destination', async () => {
  const world = createWorld({
    config: { timers: { failoverWindowSeconds: 60, longestCallSeconds: 7200 } },
  })
  await world.scaleIn()
  await world.pass(55 * seconds)
  const a = world.edge('edge-a')
  a.strangerSets('a', 1, server)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()[0]?.at).toBeGreaterThan((55 + 60) * seconds)
})

test('a call that a stranger let in is waited for', async () => {
  const world = createWorld()
  const { a, call } = await draining(world)
  a.strangerSets('a', 1, server)
  const late = a.callTo(server)
  a.hangUp(call)
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  a.hangUp(late)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('an edge that was removed from the fleet mid-drain is waited for until the deadline', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.pass(3 * seconds)
  world.memory.fleet.list.pop()
  await world.pass(50 * minutes)
  expect(world.ended()).toEqual([])
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([
    { unknown: [expect.stringContaining('edge-b')] },
  ])
})

test('an edge that was added mid-drain is disabled at the next round, and its calls are waited for', async () => {
  const world = createWorld()
  const { a, call } = await draining(world)
  const c = world.newEdge({ id: 'edge-c' })
  const late = c.callTo(server)
  world.memory.fleet.list.push(c)
  a.hangUp(call)
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual({ ...everywhere('DX'), 'edge-c/1': 'DX', 'edge-c/2': 'DX' })
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  c.hangUp(late)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('an edge whose list is empty is unknown, never without the destination', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a' }, { id: 'edge-b', file: [] }] })
  await world.scaleIn()
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-b').writeFile([{ set: 1, uri: neighbour }])
  world.edge('edge-b').strangerReloads()
  await world.pass(5 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('an edge that lists the destination no more is believed when it counts no call', async () => {
  const world = createWorld()
  const { a, call } = await draining(world)
  a.writeFile(file.filter(({ uri }) => uri !== server))
  a.strangerReloads()
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  a.hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(await world.heldBy()).toEqual([`retired/${instanceId}/drain-calls`])
})

test.each([
  ['counts fail', { faults: { 'dlg.profile_get_size': 'malformed' } }],
  ['lists fail', { faults: { 'dispatcher.list': 'malformed' } }],
  ['boot time fails', { faults: { 'core.uptime': 'unauthorized' } }],
  ['replies are lost', { losesReplies: true }],
] as const)('unknown is never zero: %s on one edge', async (_, misbehaviour) => {
  const world = createWorld()
  const { a, call } = await draining(world)
  a.misbehaviour = misbehaviour
  a.hangUp(call)
  await world.pass(50 * minutes)
  expect(world.ended()).toEqual([])
  a.misbehaviour = {}
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.memory.events.of('Drain Overdue')).toEqual([])
})

test('a zero is counted anew after a restart, also where the file keeps the destination disabled', async () => {
  const disabled = file.map((entry) => ({ ...entry, flags: 'DX' as const }))
  const world = createWorld({
    edges: [{ file: disabled, restoresDialogs: true }],
    config: { timers: { failoverWindowSeconds: 60, longestCallSeconds: 7200 } },
  })
  await world.scaleIn()
  await world.pass(55 * seconds)
  world.edge('edge-a').restart()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()[0]?.at).toBeGreaterThan((55 + 60) * seconds)
})
