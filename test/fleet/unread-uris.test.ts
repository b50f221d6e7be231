import { expect, test } from 'vitest'
import type { Reading } from '../../functions/control/reading.ts'
import { settleFleet } from '../../functions/fleet/settle-fleet.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { holdOf, oneEdge, readingOf, want } from '../world/settle-world.ts'
import { file, minutes, seconds, server, verbatim, type World } from '../world/world.ts'

const hidden = verbatim('sip:10.0.1.20:5080')
const machine = holdOf(server, {
  subject: { kind: 'instance', instanceId: 'i-1234567890abcdef0', launchedAt: 1 },
  addresses: ['10.0.1.20'],
  wholeInstance: true,
})

/** Its list has the URI for a moment, a call begins to it, and no reading sees any of that. */
function comesAndGoes(edge: MemoryEdge): number {
  edge.writeFile([...file, { set: 1, uri: hidden, flags: 'AP' }])
  edge.strangerReloads()
  const call = edge.callTo(hidden)
  edge.writeFile(file)
  return call
}

async function readAnew(world: World): Promise<Reading> {
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  return readingOf(world)
}

const dumps = ({ requests }: MemoryEdge) =>
  requests.filter((request) => request === 'htable.dump begun').length

test.each(['6.1', '5.6'] as const)(
  'a call is counted under a URI that came and went before its machine was held and that no reading has seen, on %s',
  async (version) => {
    const { world, edge } = await oneEdge({ version })
    const call = comesAndGoes(edge)
    await world.pass(20 * seconds)
    edge.strangerReloads()
    await want(world, machine)
    const reading = await readAnew(world)
    expect(reading.holds[`operator/${server}`]).toMatchObject({
      others: expect.arrayContaining([hidden]),
      counted: { count: { calls: 1 } },
    })
    edge.hangUp(call)
    await world.pass(10 * seconds)
    const later = await readAnew(world)
    expect(later.holds[`operator/${server}`]).toMatchObject({ counted: { count: { calls: 0, begun: 1 } } })
  },
)

test.each(['6.1', '5.6'] as const)(
  'and under one that came and went while it was held, on %s',
  async (version) => {
    const { world, edge } = await oneEdge({ version })
    await want(world, machine)
    await readAnew(world)
    await world.pass(5 * minutes)
    await readAnew(world)
    comesAndGoes(edge)
    await world.pass(20 * seconds)
    edge.strangerReloads()
    const reading = await readAnew(world)
    expect(reading.holds[`operator/${server}`]).toMatchObject({ counted: { count: { calls: 1 } } })
  },
)

test('an edge that shows that no list was loaded is not asked again what calls began to', async () => {
  const { world, edge } = await oneEdge({ version: '6.1' })
  await want(world, machine)
  await readAnew(world)
  await world.pass(5 * minutes)
  const before = dumps(edge)
  expect(before).toBeGreaterThan(0)
  await readAnew(world)
  expect(dumps(edge)).toBe(before)
})

test('an edge whose rpc.cfg does not answer it is counted as before', async () => {
  const { world, edge } = await oneEdge()
  edge.misbehaviour = { faults: { 'htable.dump': 'unsupported' } }
  await want(world, machine)
  const reading = await readAnew(world)
  expect(reading.holds[`operator/${server}`]).toMatchObject({ counted: { count: { calls: 0 } } })
})
