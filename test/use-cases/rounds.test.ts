import { expect, test } from 'vitest'
import { holdKey } from '../../functions/control/hold.ts'
import type { Round } from '../../functions/control/round.ts'
import { freshRound } from '../../functions/use-cases/round.ts'
import { message } from '../contracts/event-files.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { createMemoryFleet } from '../memory/fleet.ts'
import {
  command,
  createWorld,
  everywhere,
  facts,
  file,
  hours,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from './world.ts'

const lists = (requests: readonly string[]) =>
  requests.filter((request) => request === 'dispatcher.list').length

async function held() {
  const world = createWorld()
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  const [hold] = await world.memory.store.holds()
  if (!hold) throw new Error('no hold')
  return { world, key: holdKey(hold) }
}

test('twenty drains that need a round at once make one', async () => {
  const { world, key } = await held()
  await world.pass(1 * hours)
  const before = world.edges.map(({ requests }) => lists(requests))
  const rounds = await Promise.all(Array.from({ length: 20 }, () => freshRound(world.ports, key)))
  expect(new Set(rounds.map(({ id }) => id)).size).toBe(1)
  expect(world.edges.map(({ requests }, index) => lists(requests) - (before[index] ?? 0))).toEqual([1, 1])
})

test('a round whose maker was killed is made by the next one once its lease is over', async () => {
  const { world, key } = await held()
  await world.pass(1 * hours)
  await world.memory.store.takeLease('round', 'killed', world.clock.now(), world.clock.now() + 18 * seconds)
  const startedAt = world.clock.now()
  const round = await freshRound(world.ports, key)
  expect(round.startedAt - startedAt).toBe(18 * seconds)
})

test('a round that is still being made is not waited for without end', async () => {
  const { world, key } = await held()
  await world.pass(1 * hours)
  await world.memory.store.takeLease('round', 'slow', world.clock.now(), world.clock.now() + 1 * hours)
  await expect(freshRound(world.ports, key)).rejects.toMatchObject({ name: 'RoundUnavailable' })
})

test('a round that began before a hold was placed says nothing about it', async () => {
  const { world, key } = await held()
  await freshRound(world.ports, key)
  const hold = await world.hold('operator', '10.0.1.20:5060;udp')
  if (!hold) throw new Error('no hold')
  await world.memory.store.putHold({ ...hold, id: 'later' })
  const round = await freshRound(world.ports, 'operator/later')
  expect(round.holds).toContain('operator/later')
})

test("an edge's load does not grow with the number of drains, also while another edge is away", async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `i-000000000000000${String(n + 10)}`)
  const file = ids.map((_, n) => ({ group: 1, uri: `sip:10.0.2.${n + 10}:5060` }))
  const world = createWorld({
    edges: [
      { id: 'edge-a', file },
      { id: 'edge-b', file },
    ],
    instances: ids.map((instanceId, n) => facts({ instanceId, addresses: [`10.0.2.${n + 10}`] })),
  })
  const [a, b] = world.edges
  if (b) b.misbehaviour = { unreachable: true }
  for (const { uri } of file) a?.callTo(uri)
  for (const [n, instanceId] of ids.entries()) {
    const token = `${n + 10}111111-1111-1111-1111-111111111111`
    world.beginAction({ instanceId, token })
    await world.lifecycle(
      message('lifecycle-terminate-scale-in', { EC2InstanceId: instanceId, LifecycleActionToken: token }),
    )
  }
  await world.pass(2 * minutes)
  const before = a?.requests.length ?? 0
  await world.pass(5 * minutes)
  const during = a?.requests.slice(before) ?? []
  expect(lists(during)).toBeLessThanOrEqual((5 * 60) / 5)
  expect(during.filter((request) => request.startsWith('set'))).toEqual([])
  expect(world.ended()).toEqual([])
})

test('a round corrects drift for every hold, not only for the drain that asked for it', async () => {
  const world = createWorld()
  await world.command(command('command-drain-destination', { id: 'd-1' }))
  await world.command(command('command-drain-destination', { id: 'd-2', destination: neighbour }))
  await world.pass(1 * minutes)
  world.stop()
  world.edges[0]?.strangerSets('a', 1, server)
  world.edges[1]?.strangerSets('a', 2, neighbour)
  await world.pass(1 * minutes)
  await freshRound(world.ports, 'operator/10.0.1.20:5060;udp')
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.flags(neighbour)).toEqual(everywhere('DX'))
})

test('while nothing drains, an edge is asked for what it is, its boot time, its list and its boot time again', async () => {
  const world = createWorld()
  await freshRound(world.ports)
  expect(world.edges[0]?.requests).toEqual([
    ...[
      'core.uptime',
      'core.version',
      'dlg.stats_active',
      'dlg.profile_get_size dst',
      'dlg.profile_get_size src',
    ],
    ...[
      'htable.get held sip:guard-probe.invalid',
      'htable.get begun total',
      'htable.get begun total:dst',
      'htable.get dc about',
    ],
    // Whose list it is that settles it: its boot first.
    'core.uptime',
    'dispatcher.list',
    'core.uptime',
  ])
  expect(world.edges[0]?.posts).toBe(5)
})

test('while somebody makes a round, a drain reads the one before if it knows the hold', async () => {
  const { world, key } = await held()
  const before = await freshRound(world.ports, key)
  await world.pass(20 * seconds)
  const now = world.clock.now()
  await world.memory.store.takeLease('round', 'somebody', now, now + 1 * minutes)
  expect(await freshRound(world.ports, key)).toEqual(before)
  expect(world.clock.now()).toBe(now)
})

test('somebody who gets the lease just after a round was made takes that one', async () => {
  const { world, key } = await held()
  await world.pass(1 * hours)
  let others: string | undefined
  const store = new Proxy(world.memory.store, {
    get: (target, name) =>
      name !== 'takeLease'
        ? Reflect.get(target, name)
        : async (...lease: Parameters<typeof target.takeLease>) => {
            others ??= (await freshRound(world.ports, key)).id
            return target.takeLease(...lease)
          },
  })
  expect((await freshRound({ ...world.ports, store }, key)).id).toBe(others)
})

test('while somebody makes a round, one that is older than the lease will not do', async () => {
  const { world, key } = await held()
  const before = await freshRound(world.ports, key)
  await world.pass(49 * seconds)
  const now = world.clock.now()
  await world.memory.store.takeLease('round', 'somebody', now, now + 5 * seconds)
  expect((await freshRound(world.ports, key)).startedAt).toBeGreaterThan(before.finishedAt)
})

test('what a round does not count stays as the one before counted it', async () => {
  const { world, key } = await held()
  world.edges[0]?.callTo(server)
  await world.pass(1 * hours)
  const countOf = (round: Round) =>
    round.edges.map((edge) => (edge.readable ? edge.holds[key]?.counted : undefined))
  const before = await freshRound(world.ports, key)
  await world.pass(10 * seconds)
  const after = await freshRound(world.ports, key)
  expect(after.id).not.toBe(before.id)
  expect(countOf(after)).toEqual(countOf(before))
  expect(countOf(after)).toMatchObject([{ count: { calls: 1 } }, { count: { calls: 0 } }])
})

test('an edge that restarts while it is counted says nothing', async () => {
  const { world, key } = await held()
  await world.pass(1 * hours)
  const [a] = world.edges
  if (!a) throw new Error('no edge')
  const count = a.count
  a.count = (of) => {
    a.restart()
    return count(of)
  }
  const round = await freshRound(world.ports, key)
  expect(round.edges).toMatchObject([{ readable: false }, { readable: true }])
})

/** Each answer takes 2.9 s of the 3 s that it may, and a count is four of them, as without profiles. */
function slowDown(world: World, edge: MemoryEdge | undefined): void {
  if (!edge) throw new Error('no edge')
  edge.misbehaviour = { latencyMs: 2900 }
  const count = edge.count
  edge.count = async (of) => {
    await world.clock.sleep(3 * 2900)
    return count(of)
  }
}

test('a slow edge keeps no other from being corrected, nor what was lifted from being given back', async () => {
  const world = createWorld()
  await world.command(command('command-drain-destination', { id: 'd-1' }))
  await world.command(command('command-drain-destination', { id: 'd-2', destination: neighbour }))
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * minutes)
  const [a, b] = world.edges
  if (a) a.misbehaviour = { unreachable: true }
  await world.command(command('command-activate', { id: 'a-1', destination: neighbour }))
  if (a) a.misbehaviour = {}
  slowDown(world, b)
  a?.strangerSets('a', 1, server)
  const round = await freshRound(world.ports, 'operator/10.0.1.20:5060;udp')
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.flags(neighbour)).not.toMatchObject({ 'edge-a/1': 'DX' })
  expect(round.edges).toMatchObject([{ readable: true }, { readable: true }])
})

test('a round ends within its lease, also where each answer comes at the last moment and there is drift and liftings', async () => {
  const others = Array.from({ length: 5 }, (_, n) => `sip:10.0.3.${n + 10}:5060`)
  const servers = [...file, ...others.map((uri) => ({ group: 1, uri }))]
  const world = createWorld({ edges: [{ file: servers }, { id: 'edge-b', file: servers }] })
  await world.command(command('command-drain-destination', { id: 'd-1' }))
  for (const uri of [neighbour, ...others])
    await world.command(command('command-drain-destination', { id: `d-${uri}`, destination: uri }))
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * minutes)
  const [, b] = world.edges
  if (b) b.misbehaviour = { unreachable: true }
  for (const uri of others)
    await world.command(command('command-activate', { id: `a-${uri}`, destination: uri }))
  slowDown(world, b)
  // so narrow that holds are counted one by one
  const ports = { ...world.ports, fleet: createMemoryFleet(world.edges, 16) }
  const took: number[] = []
  for (const drift of [false, true, false]) {
    if (drift) for (const uri of [server, neighbour]) b?.strangerSets('a', 1, uri)
    await world.pass(10 * seconds)
    const round = await freshRound(ports, 'operator/10.0.1.20:5060;udp')
    took.push(round.finishedAt - round.startedAt)
  }
  expect(Math.max(...took)).toBeLessThanOrEqual(48 * seconds)
  for (const uri of [server, neighbour]) expect(world.flags(uri)).toEqual(everywhere('DX'))
})
