import { describe, expect, test } from 'vitest'
import { freeze, waitingIn } from '../world/clearance-world.ts'
import { activate, both, drain, machines, ofGroup, other, worldOf } from '../world/members-world.ts'
import { createWorld, facts, hours, minutes, neighbour, seconds, server, type World } from '../world/world.ts'

const sweepAt = async (world: World, ms: number) => {
  await world.pass(ms)
  await world.sweep()
}
/** EC2 knows the machines no more, and no edge lists anything. */
async function allLeave(world: World): Promise<void> {
  for (const { instanceId: id } of machines) world.memory.instances.forget(id)
  for (const edge of world.edges) {
    edge.writeFile([])
    edge.strangerReloads()
  }
  await world.pass(3 * hours)
  await world.settle()
}

test("activate lifts the caller's own holds of each member, drops what waits, and names who else holds them", async () => {
  const world = worldOf()
  await world.command(drain(ofGroup), 1)
  await world.command(drain({ id: 'drain-alone', destination: server }), 2)
  await world.command(drain({ id: 'bobs', requestedBy: 'bob', instance: other }), 3)
  await world.command(freeze(), 4)
  await world.command(drain({ id: 'drain-again', destination: neighbour }), 5)
  expect(await world.command(activate({ set: 1 }), 6)).toMatchObject({
    ...{ result: 'bulk', counts: { lifted: 3, dropped: 1 } },
    members: expect.arrayContaining([
      { target: server, hold: 'operator/10.0.1.20:5060;udp/alice', result: 'lifted' },
      { target: neighbour, hold: 'operator/10.0.1.21:5060;udp/alice', result: 'dropped' },
    ]),
    stillHeld: [{ id: `${other}/bob` }],
  })
  expect(await world.heldBy()).toEqual([`operator/${other}/bob`])
})

test('a drain that comes after the later activate of its group holds nothing', async () => {
  const world = worldOf()
  await world.command(activate(ofGroup), 2)
  expect(await world.command(drain(ofGroup), 1)).toMatchObject({ counts: { stale: 2 } })
  expect(await world.heldBy()).toEqual([])
})

test('a drain of one destination that comes after the later activate of its group holds nothing', async () => {
  const world = worldOf()
  await world.command(activate(ofGroup), 2)
  expect(await world.command(drain({ destination: server }), 1)).toMatchObject({ result: 'stale' })
  expect(await world.heldBy()).toEqual([])
})

test.each<[string, object]>([
  ['group', ofGroup],
  ['zone', { zone: 'eu-central-1b' }],
  ['set', { set: 1 }],
])(
  'activate of a %s whose last machine has gone drops the window that was asked for with it',
  async (_, many) => {
    const world = worldOf()
    const from = new Date(world.clock.now() + 1 * hours).toISOString()
    await world.command(drain({ ...many, from }), 1)
    const dropped = (await waitingIn(world)).length
    await allLeave(world)
    await expect(world.command(activate({ set: 9, id: 'others' }), 2)).rejects.toThrow('set 9')
    expect(await world.command(activate(many), 3)).toMatchObject({ counts: { dropped } })
    expect(await waitingIn(world)).toEqual([])
  },
)

test('an activate that was killed when it had dropped what waits is answered with that, also where nothing else is there', async () => {
  const world = worldOf()
  const from = new Date(world.clock.now() + 1 * hours).toISOString()
  await world.command(drain({ ...ofGroup, from }), 1)
  for (const { instanceId: id } of machines) world.memory.instances.forget(id)
  await world.pass(1 * minutes)
  world.memory.store.failNext('raiseWanted', new Error('killed'))
  await expect(world.command(activate(ofGroup), 2)).rejects.toThrow('killed')
  expect(await waitingIn(world)).toEqual([])
  expect(await world.command(activate(ofGroup), 2)).toMatchObject({ counts: { dropped: 2 } })
})

test('an activate that was killed when it had lifted is answered with that, also where its members have left', async () => {
  const world = worldOf()
  await world.command(drain(ofGroup), 1)
  world.memory.store.failNext('raiseWanted', new Error('killed'))
  await expect(world.command(activate(ofGroup), 2)).rejects.toThrow('killed')
  expect(await world.heldBy()).toEqual([])
  for (const { instanceId: id } of machines) world.memory.instances.forget(id)
  await world.pass(1 * minutes)
  expect(await world.command(activate(ofGroup), 2)).toMatchObject({ counts: { lifted: 2 } })
})

test.each<[string, object]>([
  ['zone', { zone: 'eu-central-1b' }],
  ['set', { set: 1 }],
])(
  'activate of a %s lifts what its own drain of it holds, also where that is listed and known no more',
  async (_, many) => {
    const world = worldOf()
    await world.command(drain(many), 1)
    await world.command(drain({ ...many, id: 'bobs', requestedBy: 'bob' }), 2)
    const held = await world.heldBy()
    await allLeave(world)
    await expect(world.command(activate({ set: 9, id: 'others' }), 3)).rejects.toThrow('set 9')
    expect(await world.command(activate({ ...many, id: 'dry', dryRun: true }), 4)).toMatchObject({
      wouldLift: Array.from({ length: held.length / 2 }, () => ({ who: 'alice' })),
    })
    expect(await world.command(activate(many), 5)).toMatchObject({
      counts: { lifted: held.length / 2 },
      stillHeld: Array.from({ length: held.length / 2 }, () => ({ who: 'bob' })),
    })
    expect(await world.heldBy()).toEqual(held.filter((key) => key.endsWith('/bob')))
  },
)

test('a window and an end are those of every member', async () => {
  const world = worldOf()
  const at = (ms: number) => new Date(world.clock.now() + ms).toISOString()
  const window = { from: at(1 * hours), until: at(2 * hours) }
  expect(await world.command(drain({ ...ofGroup, ...window }))).toMatchObject({
    ...{ counts: { waiting: 2 }, edges: [] },
    ...{ beginsAt: Date.parse(window.from), endsAt: Date.parse(window.until) },
  })
  await sweepAt(world, 1 * hours)
  expect(await world.heldBy()).toEqual(both)
  await sweepAt(world, 1 * hours)
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['two targets', drain({ ...ofGroup, set: 1 }), /exactly one of destination, instance, group, set and zone/],
  ['none', drain({}), /exactly one of/],
  ['a holdId', activate({ ...ofGroup, holdId: 'x' }), /source: of a group, set or zone only one's own holds/],
  ['a set that is none', drain({ set: -1 }), /set: /],
])('%s is refused in words', async (_what, body, words) => {
  await expect(worldOf().command(body)).rejects.toThrow(words)
})

describe('while EC2 refuses', () => {
  const refuse = ({ memory }: World) => {
    const refused = () => Promise.reject(new Error('RequestLimitExceeded'))
    const { inGroups, byIds, byAddress } = memory.instances
    Object.assign(memory.instances, { inGroups: refused, byIds: refused, byAddress: refused })
    return () => void Object.assign(memory.instances, { inGroups, byIds, byAddress })
  }
  const comesAgain = { message: 'RequestLimitExceeded' }
  const many: [string, object, string[], object][] = [
    ['group', ofGroup, both, comesAgain],
    ['zone', { zone: 'eu-central-1b' }, both.slice(0, 1), comesAgain],
    ['set', { set: 2 }, both, { result: 'bulk', members: { length: 2 } }],
  ]
  const outcome = (world: World, body: object, at: number) =>
    world.command(body, at).catch((error: unknown) => error)

  test.each(many)('an activate of a %s lifts what is held', async (_, whom, _holds, comes) => {
    const world = worldOf()
    await world.command(drain(whom), 1)
    await world.pass(1 * minutes)
    refuse(world)
    expect(await outcome(world, activate(whom), 2)).toMatchObject(comes)
    expect(await world.heldBy()).toEqual([])
  })

  test.each(many)(
    'a drain of a %s with force begins for the machines that it showed last, and any other comes again',
    async (_, whom, holds, comes) => {
      const world = worldOf()
      await world.settledAll()
      await world.pass(30 * seconds)
      refuse(world)
      await expect(world.command(drain(whom), 1)).rejects.toThrow('RequestLimitExceeded')
      const forced = drain({ ...whom, id: 'forced', force: 'it burns' })
      expect(await outcome(world, forced, 2)).toMatchObject(comes)
      expect(await world.heldBy()).toEqual(holds)
    },
  )

  test('a drain of a group with force, and its activate, come again for a machine that was launched since', async () => {
    const world = worldOf()
    const launched = facts({ instanceId: 'i-0aaaaaaaaaaaaaaaa', addresses: ['10.0.1.29'] })
    await world.settledAll()
    await world.pass(30 * seconds)
    const forced = drain({ ...ofGroup, id: 'forced', force: 'it burns' })
    let answers = refuse(world)
    world.memory.instances.put(launched)
    await expect(world.command(forced, 1)).rejects.toThrow('RequestLimitExceeded')
    answers()
    expect(await world.command(forced, 1)).toMatchObject({ result: 'bulk', members: { length: 3 } })
    expect(await world.heldBy()).toContain(`operator/${launched.instanceId}/alice`)
    await world.pass(30 * seconds)
    answers = refuse(world)
    await expect(world.command(activate(ofGroup), 2)).rejects.toThrow('RequestLimitExceeded')
    answers()
    expect(await world.command(activate(ofGroup), 2)).toMatchObject({ counts: { lifted: 3 } })
    expect(await world.heldBy()).toEqual([])
  })

  test('a dry run of many is no guess by what was shown last: it comes again', async () => {
    const world = worldOf()
    await world.command(drain(ofGroup), 1)
    await world.pass(1 * minutes)
    refuse(world)
    const drains = drain({ ...ofGroup, id: 'dry-drain', dryRun: true, force: 'it burns' })
    for (const body of [drains, { ...activate(ofGroup), dryRun: true }])
      await expect(world.command(body)).rejects.toThrow('RequestLimitExceeded')
  })

  test('nobody is told that a group of ours or a zone is empty: a machine may have been launched since', async () => {
    const world = createWorld({ instances: [] })
    await world.settledAll()
    await world.pass(30 * seconds)
    refuse(world)
    for (const whom of [ofGroup, { zone: 'eu-central-1b' }])
      for (const body of [drain({ ...whom, force: 'it burns' }), activate(whom)])
        await expect(world.command(body)).rejects.toThrow('RequestLimitExceeded')
    await expect(world.command(activate({ group: 'strangers' }))).rejects.toThrow('is no group of ours')
  })
})
