import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import { createWorld, everywhere, facts, file, minutes, seconds, server, type World } from '../world/world.ts'

/** Zeros that are not zero: each ended with CONTINUE while calls were up. */

const elsewhere = { set: 1, uri: 'sip:10.0.1.21:5060' }
const nothingEnded = (world: World) => expect(world.ended()).toEqual([])

async function relisted(world: World, lines: readonly { set: number; uri: string }[]): Promise<void> {
  for (const edge of world.edges) {
    edge.writeFile(lines)
    edge.strangerReloads()
  }
  await world.pass(1 * minutes)
}

/** What the schedule does each minute, also while nothing drains. */
async function everyMinute(world: World, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await world.reconcile()
    await world.pass(1 * minutes)
  }
}

test('an edge that has restarted may have forgotten calls of a server that it lists no more', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  a.callTo(server)
  await everyMinute(world, 2)
  await relisted(world, [elsewhere])
  a.restart()
  await world.pass(5 * minutes)
  await world.scaleIn()
  await world.pass(50 * minutes)
  nothingEnded(world)
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: [expect.stringContaining('may have forgotten calls')],
  })
})

test('calls to a server that was taken off the list are counted under the URI that was listed', async () => {
  const unusual = { set: 1, uri: 'sip:10.0.1.20:5080' }
  const world = createWorld({ edges: [{ id: 'edge-a', file: [unusual, elsewhere] }] })
  const a = world.edge('edge-a')
  const calls = [1, 2, 3, 4].map(() => a.callTo(unusual.uri))
  await everyMinute(world, 2)
  await relisted(world, [elsewhere])
  await world.scaleIn()
  await world.pass(30 * minutes)
  nothingEnded(world)
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ callsLeft: 4 })
  for (const call of calls) a.hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('calls that began while the list spelled the URI otherwise are counted too', async () => {
  const before = { set: 1, uri: 'sip:10.0.1.20' }
  const world = createWorld({ edges: [{ id: 'edge-a', file: [before, elsewhere] }] })
  const a = world.edge('edge-a')
  const calls = [1, 2, 3].map(() => a.callTo(before.uri))
  await everyMinute(world, 2)
  await relisted(world, [{ set: 1, uri: server }, elsewhere])
  await world.scaleIn()
  await world.pass(30 * minutes)
  nothingEnded(world)
  for (const call of calls) a.hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('what nobody has seen listed is counted under its usual spellings before a drain ends', async () => {
  const world = createWorld({
    edges: [{ id: 'edge-a', file: [{ set: 1, uri: 'sip:10.0.1.20:5080' }, elsewhere] }],
  })
  const a = world.edge('edge-a')
  const call = a.callTo('sip:10.0.1.20')
  await world.scaleIn()
  await world.pass(30 * minutes)
  nothingEnded(world)
  a.hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a name whose address nobody knows may be the server that no list shows, unless the settings name it', async () => {
  const srv = { set: 1, uri: 'sip:media.example.internal' }
  const drained = async (staticNames: readonly string[]) => {
    const world = createWorld({
      edges: [{ id: 'edge-a', file: [srv, elsewhere] }],
      config: { staticNames: [...staticNames] },
    })
    await world.scaleIn()
    await world.pass(30 * minutes)
    return { ended: world.ended(), last: world.memory.events.of('Drain Progress').at(-1) }
  }
  const unknown = await drained([])
  expect(unknown.ended).toEqual([])
  expect(unknown.last).toMatchObject({
    verdict: 'unknown',
    unknown: [expect.stringContaining("name it in the settings' staticNames")],
  })
  expect((await drained(['media.example.internal'])).ended).toMatchObject([{ result: 'CONTINUE' }])
})

test('profiles that have counted none of the calls that are up prove nothing', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a' }] })
  const calls = [1, 2, 3].map(() => world.edge('edge-a').callUncounted())
  await world.scaleIn()
  await world.pass(30 * minutes)
  nothingEnded(world)
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: [expect.stringContaining('have counted none of the calls that are up')],
  })
  // How many calls others have there is nothing new of this drain.
  const progress = world.memory.events.of('Drain Progress').length
  calls.push(world.edge('edge-a').callUncounted())
  await world.pass(10 * minutes)
  expect(world.memory.events.of('Drain Progress')).toHaveLength(progress)
  for (const call of calls) world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
})

/** Both edges have shown a first zero long ago, and the next look is ours. */
async function atFirstZero() {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.edges['edge-b']?.zero !== undefined)
  world.stop()
  await world.pass(2 * minutes)
  const input = world.payload()
  return { world, input }
}

test('what ends a drain was asked after its look began: a call of a moment ago is seen', async () => {
  const { world, input } = await atFirstZero()
  // Somebody else's settle shows the second zero, and right after it the server places a call.
  const readAt = world.clock.now()
  await world.settle({ kind: 'settle', notBefore: readAt })
  for (const { askedAt, unreadable } of some(await world.memory.store.edgeHeads()))
    expect({ fresh: askedAt >= readAt, unreadable }).toEqual({ fresh: true, unreadable: undefined })
  const call = world.edge('edge-a').callFrom('10.0.1.20')
  await world.pass(1 * seconds)
  await look(world.ports, input)
  expect(await world.record()).toMatchObject({ state: 'draining', edges: { 'edge-b': { zero: {} } } })
  world.edge('edge-a').hangUp(call)
})

test('a look that comes while an edge is being read asks again, and decides by what is read then', async () => {
  const { world, input } = await atFirstZero()
  await world.pass(20 * seconds)
  for (const edge of world.edges) edge.misbehaviour = { latencyMs: 300 }
  const running = world.settle()
  await world.pass(400)
  const began = world.clock.now()
  expect(await look(world.ports, input)).toMatchObject({ next: 'ended' })
  expect(world.clock.now() - began).toBeLessThan(10 * seconds)
  await running
})

test('a look that no settle answers in time ends no drain by what was read before it', async () => {
  const { world, input } = await atFirstZero()
  await world.settle({ kind: 'settle', notBefore: world.clock.now() })
  await world.pass(1 * seconds)
  const now = world.clock.now()
  for (const { id } of world.edges)
    await world.memory.store.takeEdge(id, 'somebody', now, Number.MAX_SAFE_INTEGER)
  await expect(look(world.ports, input)).resolves.toMatchObject({ next: 'observe' })
  expect(await world.record()).toMatchObject({ state: 'draining' })
  nothingEnded(world)
})

test('a machine that was launched after its edges booted has no calls that they forgot', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', file, bootedAt: Date.UTC(2026, 10, 22, 19, 30) }] })
  world.memory.instances.put({
    instanceId: 'i-0fedcba9876543210',
    launchedAt: Date.UTC(2026, 10, 22, 19, 45),
    state: 'running',
    addresses: ['10.0.1.21'],
    taggedDestinations: [],
    group: 'media-servers',
  })
  world.beginAction({ instanceId: 'i-0fedcba9876543210', token: '87654321-4321-4321-4321-210987654399' })
  await world.lifecycle(
    message('lifecycle-terminate-scale-in', {
      EC2InstanceId: 'i-0fedcba9876543210',
      LifecycleActionToken: '87654321-4321-4321-4321-210987654399',
    }),
  )
  await world.pass(5 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a machine whose address EC2 does not show yet is asked for again, and is not absent meanwhile', async () => {
  const world = createWorld({ instances: [facts({ addresses: [] })] })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(10 * minutes)
  nothingEnded(world)
  expect(world.memory.lifecycleActions.heartbeats.length).toBeGreaterThan(1)
  world.memory.instances.put(facts())
  await world.pass(10 * minutes)
  nothingEnded(world)
  expect(world.flags()).toEqual(everywhere('DX'))
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test.each([
  ['since', false],
  ['while it was being disabled', true],
])(
  'a zero of before a server was found open proves nothing, also where it has left the list %s',
  async (_, atOnce) => {
    const world = createWorld({ edges: [{ id: 'edge-a', guard: false }] })
    const a = world.edge('edge-a')
    await world.scaleIn()
    await world.until((record) => record?.edges['edge-a']?.zero !== undefined)
    await world.pass(4 * seconds)
    for (const set of [1, 2]) a.strangerSets('a', set, server)
    const openAt = world.age()
    const delisted = () => {
      a.writeFile([elsewhere])
      a.strangerReloads()
    }
    const { under } = a
    if (atOnce)
      a.under = (generation) => {
        const own = under.call(a, generation)
        const write: typeof own.write = async (writes) => {
          const answers = await own.write(writes)
          delisted()
          return answers
        }
        return { ...own, write }
      }
    await world.settle()
    const shown = a.truth().entries.filter(({ uri }) => uri === server)
    expect(shown.map(({ flags }) => flags)).toEqual(atOnce ? [] : ['DX', 'DX'])
    if (!atOnce) delisted()
    await world.pass(3 * seconds)
    await world.settle({ kind: 'settle', notBefore: world.clock.now() })
    await world.until((record) => record?.state === 'ended')
    expect(world.ended()[0]?.at).toBeGreaterThan(openAt + 12 * seconds)
  },
)
