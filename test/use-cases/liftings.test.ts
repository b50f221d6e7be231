import { expect, test } from 'vitest'
import { finishLiftings } from '../../functions/use-cases/correct-drift.ts'
import { command, createWorld, minutes, seconds } from './world.ts'

test('many unfinished liftings do not make a round wait for a dead edge more than once', async () => {
  const servers = Array.from({ length: 12 }, (_, n) => ({ group: 1, uri: `sip:10.0.3.${n + 10}:5060` }))
  const world = createWorld({
    edges: [
      { id: 'edge-a', file: servers },
      { id: 'edge-b', file: servers },
    ],
    instances: [],
  })
  for (const [n, { uri }] of servers.entries())
    await world.command(command('command-drain-destination', { id: `d-${n}`, destination: uri }))
  await world.pass(1 * minutes)
  const [, b] = world.edges
  if (b) b.misbehaviour = { unreachable: true }
  for (const [n, { uri }] of servers.entries())
    if (n > 0) await world.command(command('command-activate', { id: `a-${n}`, destination: uri }))
  await world.pass(5 * minutes)
  const round = await world.memory.store.latestRound()
  expect(round && round.finishedAt - round.startedAt).toBeLessThan(10 * seconds)
  if (b) b.misbehaviour = {}
  await world.pass(5 * minutes)
  const flags = b?.truth().entries.map((entry) => entry.flags)
  expect(flags?.sort()).toEqual([...Array(11).fill('AX'), 'DX'])
})

test('liftings that are too many for a round are finished in turns', async () => {
  const servers = [10, 11, 12].map((n) => ({ group: 1, uri: `sip:10.0.3.${n}:5060` }))
  const world = createWorld({ edges: [{ file: servers }, { id: 'edge-b', file: servers }], instances: [] })
  const [a, b] = world.edges
  for (const { uri } of servers)
    await world.command(command('command-drain-destination', { id: `d-${uri}`, destination: uri }))
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * minutes)
  if (b) b.misbehaviour = { unreachable: true }
  for (const { uri } of servers)
    await world.command(command('command-activate', { id: `a-${uri}`, destination: uri }))
  if (a) a.misbehaviour = { latencyMs: 1000 }
  const holds = await world.memory.store.holds()
  const begun: string[][] = []
  for (let turn = 0; turn < 3; turn += 1) {
    const before = a?.requests.length ?? 0
    await finishLiftings(world.ports, ['edge-b'], holds, world.clock.now() + 1 * seconds)
    begun.push((a?.requests.slice(before) ?? []).filter((request) => request.startsWith('htable.delete')))
    await world.pass(1 * seconds)
  }
  expect(begun.map(({ length }) => length)).toEqual([1, 1, 1])
  expect(new Set(begun.flat()).size).toBe(3)
})
