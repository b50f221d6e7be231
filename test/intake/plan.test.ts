import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import { activate, drain, freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import {
  createWorld,
  file,
  isWrite,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const alices = 'operator/10.0.1.20:5060;udp/alice'
const dryDrain = (changes: object = {}) => drain(server, { id: 'dry-drain', dryRun: true, ...changes })
const dryActivate = (changes: object = {}) =>
  activate(server, { id: 'dry-activate', dryRun: true, ...changes })

interface PlannedEdge {
  readonly plan: {
    readonly writes: readonly { readonly set: number; readonly uri: string; readonly state: string }[]
    readonly guards: readonly { readonly uri: string; readonly held: boolean }[]
  }
}

/** What a dry run foresees, as the requests that the edges get. */
function foreseen(outcome: Readonly<Record<string, unknown>>): readonly string[] {
  const requests = (outcome['edges'] as readonly PlannedEdge[]).flatMap(({ plan }) => [
    ...plan.writes.map(({ set, uri, state }) => `dispatcher.set_state ${state} ${set} ${uri}`),
    ...plan.guards.map(({ uri, held }) => (held ? `htable.seti held ${uri} 1` : `htable.delete held ${uri}`)),
  ])
  return some(requests).toSorted()
}

/** What the edges were really asked to write by `act`. */
async function writtenBy(world: World, act: () => Promise<unknown>): Promise<readonly string[]> {
  for (const edge of world.edges) edge.forgetRequests()
  await act()
  await world.settledAll()
  return world.edges.flatMap(({ requests }) => requests.filter(isWrite)).toSorted()
}

describe('the dry run of a drain', () => {
  test('foresees exactly what the drain writes on each edge, and so does that of its activate', async () => {
    const world = createWorld()
    world.edge('edge-b').strangerSets('d', 2, server)
    const drains = foreseen(await world.command(dryDrain()))
    expect(await writtenBy(world, () => world.command(drain(server)))).toEqual(drains)
    await world.pass(1 * minutes)
    const gives = foreseen(await world.command(dryActivate()))
    expect(await writtenBy(world, () => world.command(activate(server)))).toEqual(gives)
  })

  test('names what its activate would give back, and what stays since it was disabled before us', async () => {
    const lines = [...file.slice(0, 2), { set: 2, uri: server, flags: 'AN' as const }]
    const world = createWorld({ edges: [{ id: 'edge-a', file: lines }, { id: 'edge-b' }] })
    world.edge('edge-b').strangerSets('d', 2, server)
    expect(await world.command(dryDrain())).toMatchObject({
      hold: alices,
      edges: [
        {
          edge: 'edge-a',
          plan: {
            already: [],
            givesBack: expect.arrayContaining([
              { set: 1, uri: server, shows: 'AP' },
              // The no-ping mark can't be written.
              { set: 2, uri: server, shows: 'AX' },
            ]),
          },
        },
        {
          edge: 'edge-b',
          plan: {
            already: [{ set: 2, uri: server, flags: 'DX', heldBy: [] }],
            givesBack: expect.arrayContaining([{ set: 2, uri: server, stays: 'it was disabled before us' }]),
          },
        },
      ],
    })
  })

  test('names who else holds it: what is held is not written, and comes back from the record', async () => {
    const world = createWorld()
    await world.command(drain(server, { id: 'bobs', requestedBy: 'bob' }))
    await world.pass(1 * minutes)
    const bobs = 'operator/10.0.1.20:5060;udp/bob'
    const outcome = await world.command(dryDrain())
    expect(outcome).toMatchObject({ heldBy: [{ source: 'operator', who: 'bob' }] })
    for (const edge of ['edge-a', 'edge-b'])
      expect(outcome['edges']).toContainEqual({
        edge,
        calls: { counted: 0 },
        plan: {
          ...{ writes: [], guards: [], refused: [] },
          already: [2, 1].map((set) => ({ set, uri: server, flags: 'DX', heldBy: [bobs] })),
          givesBack: [
            { set: 2, uri: server, shows: 'IP' },
            { set: 1, uri: server, shows: 'AP' },
          ],
        },
      })
  })

  test('an edge that can not be read is named with the reason', async () => {
    const world = createWorld()
    world.edge('edge-b').misbehaviour = { unreachable: true }
    expect(await world.command(dryDrain())).toMatchObject({
      edges: [
        { edge: 'edge-a', plan: {} },
        { edge: 'edge-b', unreadable: expect.stringMatching(/^unreachable: /) },
      ],
    })
  })

  test('tells whether it would begin, or what it would wait for, and does not wait itself', async () => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    expect(await world.command(dryDrain())).toMatchObject({ clearance: { begins: true } })
    await world.command(freeze())
    await world.command(drain(neighbour))
    expect(await world.command(dryDrain({ id: 'dry-2' }))).toMatchObject({
      clearance: { begins: false, because: 'frozen by alice: carrier maintenance' },
    })
    expect(await world.command(dryDrain({ id: 'dry-3', force: 'it burns' }))).toMatchObject({
      clearance: { begins: true },
    })
    expect(await waitingIn(world)).toEqual(['operator/10.0.1.21:5060;udp/alice'])
  })

  test('is decided behind what waits: that would begin first, and take what the floor leaves', async () => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    await world.command(drain(neighbour))
    await world.command(drain(server))
    await world.command(activate(neighbour))
    await world.pass(1 * minutes)
    expect(await world.command(drain(neighbour, { id: 'dry-1', dryRun: true }))).toMatchObject({
      clearance: { begins: false, because: expect.stringMatching(/its floor is 1/) },
    })
  })
})

describe('the dry run of an activate', () => {
  test('tells what stays, by whom, and what comes back to which flags', async () => {
    const world = createWorld()
    world.edge('edge-a').strangerSets('d', 1, server)
    await world.command(drain(server))
    await world.pass(1 * minutes)
    expect(await world.command(dryActivate())).toMatchObject({
      ...{ wouldLift: [{ who: 'alice' }], wouldDrop: [], stillHeld: [] },
      edges: [
        {
          plan: {
            givesBack: expect.arrayContaining([
              { set: 1, uri: server, stays: 'it was disabled before us' },
              { set: 2, uri: server, shows: 'IP' },
            ]),
          },
        },
        { plan: { writes: expect.arrayContaining([{ set: 1, uri: server, state: 'ap' }]) } },
      ],
    })
  })

  test('nothing comes back while somebody else holds it, or where nothing is lifted', async () => {
    const world = createWorld()
    await world.command(drain(server))
    await world.command(drain(server, { id: 'bobs', requestedBy: 'bob' }))
    await world.pass(1 * minutes)
    const stays = 'held by operator/10.0.1.20:5060;udp/bob'
    expect(await world.command(dryActivate())).toMatchObject({
      stillHeld: [{ who: 'bob' }],
      edges: ['edge-a', 'edge-b'].map((edge) => ({
        edge,
        plan: { writes: [], guards: [], givesBack: [{ stays }, { stays }] },
      })),
    })
    const carols = await world.command(dryActivate({ id: 'dry-2', requestedBy: 'carol' }))
    expect(carols).toMatchObject({
      ...{ wouldLift: [], stillHeld: [{ who: 'alice' }, { who: 'bob' }] },
      edges: [{ plan: { givesBack: [{ stays: expect.stringMatching(/alice.*bob/) }, {}] } }, {}],
    })
  })

  test('names what waits and would be dropped', async () => {
    const world = createWorld()
    await world.command(freeze())
    await world.command(drain(server))
    expect(await world.command(dryActivate())).toMatchObject({
      ...{ wouldLift: [], wouldDrop: [{ who: 'alice', why: 'disk failing, ticket 4711' }] },
      edges: [{ plan: { writes: [], givesBack: [{ shows: 'IP' }, { shows: 'AP' }] } }, {}],
    })
    expect(await waitingIn(world)).toEqual([alices])
  })
})

test('the dry run of a freeze, and of its end, tells what is in force, what waits, and what would begin', async () => {
  const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
  const idle = { result: 'dry-run', waiting: [], wouldBegin: [] }
  expect(await world.command(freeze({ id: 'dry-freeze', dryRun: true }))).toMatchObject(idle)
  await world.command(freeze())
  await world.command(drain(server))
  await world.pass(1 * seconds)
  await world.command(drain(neighbour))
  const because = 'frozen by alice: carrier maintenance'
  for (const asked of [freeze({ id: 'dry-2', dryRun: true }), { ...unfreeze, id: 'dry-3', dryRun: true }])
    expect(await world.command(asked)).toMatchObject({
      frozen: { who: 'alice', why: 'carrier maintenance' },
      waiting: [
        { drainId: alices, because },
        { drainId: 'operator/10.0.1.21:5060;udp/alice', because },
      ],
      // The second one waits for the floor then.
      wouldBegin: [alices],
    })
})

test('the dry run of the end of a freeze names what is lifted by itself then: an end that came, and an OK', async () => {
  const world = createWorld()
  await world.command(drain(server, { until: new Date(world.clock.now() + 1 * minutes).toISOString() }))
  await world.command(drain(neighbour))
  await world.alarm(message('alarm-metric-alarm'))
  await world.command(freeze())
  await world.pass(2 * minutes)
  await world.sweep()
  const dry = (id: string) => world.command({ ...unfreeze, id, dryRun: true })
  expect(await dry('dry-1')).toMatchObject({ wouldLift: [{ id: '10.0.1.20:5060;udp/alice' }] })
  await world.alarm(message('alarm-metric-ok'))
  expect(await dry('dry-2')).toMatchObject({
    wouldLift: [{ id: '10.0.1.20:5060;udp/alice' }, { id: 'media-server-cpu' }],
  })
  expect(await world.heldBy()).toHaveLength(3)
})

test('what waits beyond its own end would not begin when the freeze ends', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(drain(server, { until: new Date(world.clock.now() + 10 * minutes).toISOString() }))
  const dry = (id: string) => world.command({ ...unfreeze, id, dryRun: true })
  expect(await dry('dry-1')).toMatchObject({ wouldBegin: [alices] })
  await world.pass(11 * minutes)
  expect(await dry('dry-2')).toMatchObject({ wouldBegin: [] })
})
