import { expect, test } from 'vitest'
import { settleRequest } from '../../functions/contracts/settle-request.ts'
import { drain } from '../world/clearance-world.ts'
import { createWorld, isWrite, minutes, neighbour, seconds, server } from '../world/world.ts'

const dryDrain = (changes: object = {}) => drain(server, { id: 'dry-drain', dryRun: true, ...changes })

test('tells the calls at stake of a server that nothing holds yet, and writes nothing for it', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  world.edge('edge-a').callTo(neighbour)
  await world.settledAll()
  await world.pass(10 * seconds)
  for (const edge of world.edges) edge.forgetRequests()
  expect(await world.command(dryDrain())).toMatchObject({
    edges: [{ calls: { counted: 1 } }, { calls: { counted: 0 } }],
  })
  expect(world.edges.flatMap(({ requests }) => requests.filter(isWrite))).toEqual([])
  expect(await world.heldBy()).toEqual([])
  const asked = world.memory.settles.asked.find((request) => 'atStake' in request)
  expect(settleRequest.safeParse(JSON.parse(JSON.stringify(asked)))).toMatchObject({ success: true })
  // The next settle asks for what is held alone.
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(await world.memory.store.reading('edge-a')).not.toHaveProperty('atStake')
})

test('tells the calls at stake also while another settle reads the edges', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(neighbour)
  await world.settledAll()
  await world.pass(10 * seconds)
  await world.command(drain(server))
  expect(await world.command(dryDrain({ destination: neighbour }))).toMatchObject({
    edges: [{ calls: { counted: 1 } }, { calls: { counted: 0 } }],
  })
})

test('finds what only an edge lists that could not be read before, and can be by now', async () => {
  const alone = 'sip:10.0.9.9:5060'
  const world = createWorld({
    edges: [{ id: 'edge-a' }, { id: 'edge-b', file: [{ set: 1, uri: alone, flags: 'AP' as const }] }],
  })
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.settledAll()
  await world.reconcile()
  await world.pass(1 * minutes)
  world.edge('edge-b').misbehaviour = {}
  expect(await world.command(dryDrain({ destination: alone }))).toMatchObject({ result: 'dry-run' })
})

test('tells the calls at stake of all members of a set that nothing holds yet', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  world.edge('edge-a').callTo(neighbour)
  await world.settledAll()
  await world.pass(10 * seconds)
  expect(await world.command(dryDrain({ destination: undefined, set: 1 }))).toMatchObject({
    result: 'bulk-dry-run',
    edges: [{ calls: { counted: 2 } }, { calls: { counted: 0 } }],
  })
})

test('tells the calls at stake where they are counted, and why they are not where the edge can’t tell', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  world.edge('edge-a').callTo(neighbour)
  await world.settledAll()
  await world.pass(10 * seconds)
  world.edge('edge-a').misbehaviour = { faults: { 'dlg.profile_get_size': 'unsupported' } }
  expect(await world.command(dryDrain())).toMatchObject({
    edges: [{ calls: { notCounted: expect.any(String) } }, { calls: { counted: 0 } }],
  })
  world.edge('edge-a').misbehaviour = {}
  await world.command(drain(server))
  await world.pass(1 * minutes)
  expect(await world.command(dryDrain({ id: 'dry-2', requestedBy: 'bob' }))).toMatchObject({
    edges: [{ calls: { counted: 1 } }, { calls: { counted: 0 } }],
  })
})
