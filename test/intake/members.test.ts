import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { waitingIn } from '../world/clearance-world.ts'
import { activate, both, drain, machines, ofGroup, other, worldOf } from '../world/members-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  config,
  createWorld,
  everywhere,
  facts,
  file,
  instanceId,
  minutes,
  neighbour,
  seconds,
} from '../world/world.ts'

/** So many servers in set 1 that are no machines of ours. */
const racks = (count: number, changes: Partial<ControlConfigInput> = {}) =>
  createWorld({
    edges: [
      {
        id: 'edge-a',
        file: Array.from({ length: count }, (_, n) => ({
          set: 1,
          uri: `sip:10.0.2.${n}:5060`,
          flags: 'AP' as const,
        })),
      },
    ],
    config: { ...config, ...changes },
  })

describe('each member gets the hold that a command for it alone would have placed', () => {
  test.each<[string, object, string[]]>([
    ['of a group', ofGroup, both],
    ['of a zone', { zone: 'eu-central-1b' }, [`operator/${other}/alice`]],
    ['of a set, whose servers are machines of ours', { set: 2 }, both],
  ])('%s', async (_what, many, holds) => {
    const world = worldOf()
    expect(await world.command(drain(many))).toMatchObject({
      ...{ ...many, result: 'bulk', counts: { started: holds.length }, unread: [] },
      members: expect.arrayContaining(
        holds.map((hold) => ({ target: hold.split('/')[1], hold, result: 'started' })),
      ),
      edges: [
        { edge: 'edge-a', outcome: 'applied' },
        { edge: 'edge-b', outcome: 'applied' },
      ],
    })
    expect(await world.heldBy()).toEqual(holds)
    const alone = { ...activate({ instance: other }), id: 'activate-alone' }
    expect(await world.command(alone)).toMatchObject({ result: 'lifted', lifted: [{ id: `${other}/alice` }] })
    expect(world.flags(neighbour)).toEqual(everywhere('AP', 'AX'))
  })

  test('of a set, whose servers are not all ours: a URI each', async () => {
    const world = createWorld()
    expect(await world.command(drain({ set: 1 }))).toMatchObject({
      members: expect.arrayContaining([
        { target: instanceId, hold: `operator/${instanceId}/alice`, result: 'started' },
        { target: neighbour, hold: 'operator/10.0.1.21:5060;udp/alice', result: 'started' },
      ]),
    })
    const alone = activate({ destination: neighbour })
    expect(await world.command(alone)).toMatchObject({ result: 'lifted' })
    expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
  })

  test('of a set, where two machines of ours have one address: its URI', async () => {
    const twin = facts({ instanceId: other })
    const world = createWorld({ instances: [...machines.slice(0, 1), twin] })
    await world.command(drain({ set: 1 }))
    expect(await world.heldBy()).toEqual([
      'operator/10.0.1.20:5060;udp/alice',
      'operator/10.0.1.21:5060;udp/alice',
    ])
  })

  test('a machine that has gone is no member', async () => {
    const world = worldOf()
    world.memory.instances.setState(other, 'terminated')
    expect(await world.command(drain(ofGroup))).toMatchObject({ counts: { started: 1 } })
  })
})

test('the floors hold for all members together: what they leave begins, the others wait, and say why', async () => {
  const world = racks(64, { clearance: { floors: [{ set: 1, count: 48 }] } })
  const outcome = await world.command(drain({ set: 1 }))
  expect(outcome).toMatchObject({
    counts: { started: 16, waiting: 48 },
    members: expect.arrayContaining([
      {
        ...{ target: 'sip:10.0.2.63:5060', hold: 'operator/10.0.2.63:5060;udp/alice', result: 'waiting' },
        because: 'set 1 on edge-a would keep 47 of its 48 active servers, and its floor is 48',
      },
    ]),
  })
  expect(await world.heldBy()).toHaveLength(16)
  expect(await waitingIn(world)).toHaveLength(48)
  expect(publishedIn(world, 'Drain Waiting')).toHaveLength(48)
})

test('one run decides on all members', async () => {
  const world = racks(20)
  const { store } = world.memory
  const taken: string[] = []
  const takeEdge = store.takeEdge
  store.takeEdge = (name, ...more) => {
    taken.push(name)
    return takeEdge(name, ...more)
  }
  expect(await world.command(drain({ set: 1 }))).toMatchObject({ counts: { started: 20 } })
  expect(taken.filter((name) => name === '/clearance')).toHaveLength(1)
})

test('a run that places for longer than its lease keeps it, so that no other decides beside it', async () => {
  const world = racks(20)
  const { store } = world.memory
  const { placeWaiting } = store
  store.placeWaiting = async (...given) => {
    await world.pass(1 * seconds)
    return placeWaiting(...given)
  }
  const outcome = world.command(drain({ set: 1 }))
  await world.pass(15 * seconds)
  const now = world.clock.now()
  expect(await store.takeEdge('/clearance', 'another', now, now + 1)).toBeUndefined()
  expect(await outcome).toMatchObject({ counts: { started: 20 } })
})

test('what somebody has to look at comes first, and counts are of all where the event leaves some out', async () => {
  const world = racks(150, { clearance: { floors: [{ set: 1, count: 20 }] } })
  await world.command(drain({ set: 1 }))
  const [outcome] = publishedIn(world, 'Command Answered')
  expect(outcome).toMatchObject({ counts: { started: 130, waiting: 20 }, leftOut: { members: 50 } })
  const members = z.array(z.looseObject({ result: z.string() })).parse(outcome?.['members'])
  expect(members.map(({ result }) => result).lastIndexOf('waiting')).toBe(19)
})

test('an activate of many keeps its reason with each hold that it lifts', async () => {
  const world = worldOf()
  await world.command(drain(ofGroup), 1)
  await world.command({ ...activate(ofGroup), reason: 'kernel updated' }, 2)
  const reasons = publishedIn(world, 'Hold Lifted').map(({ why }) => why)
  expect(reasons).toEqual(['kernel updated', 'kernel updated'])
})

test("a member that one held already is named with that hold, the answer's as the dry run's", async () => {
  const world = worldOf()
  const replaces = { why: 'disk failing', since: world.clock.now() }
  await world.command(drain({ instance: other, id: 'alone', reason: 'disk failing' }))
  const members = expect.arrayContaining([
    expect.objectContaining({ target: other, replaces }),
    expect.not.objectContaining({ target: other }),
  ])
  const until = new Date(world.clock.now() + 9 * minutes).toISOString()
  expect(await world.command(drain({ ...ofGroup, until, dryRun: true, id: 'plan' }))).toMatchObject({
    members,
  })
  expect(await world.command(drain({ ...ofGroup, until }))).toMatchObject({ members })
})

describe('the same message again', () => {
  test.each(['putCommandOutcome', 'raiseWanted'] as const)(
    'is done once, also where the first delivery ended at %s',
    async (at) => {
      const world = worldOf()
      world.memory.store.failNext(at, new Error('killed'))
      await expect(world.command(drain(ofGroup), 1)).rejects.toThrow('killed')
      const { members } = await world.command(drain(ofGroup), 1)
      expect(members).toMatchObject([{ hold: both[1] }, { hold: both[0] }])
      expect(await world.heldBy()).toEqual(both)
      await world.pass(1 * minutes)
      expect(publishedIn(world, 'Drain Started')).toHaveLength(2)
    },
  )

  test('is the same for a member that has left since, and is in the answer', async () => {
    const world = worldOf()
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    await expect(world.command(drain(ofGroup), 1)).rejects.toThrow('killed')
    world.memory.instances.setState(other, 'terminated')
    await world.pass(10 * seconds)
    const outcome = await world.command(drain(ofGroup), 1)
    expect(outcome).toMatchObject({ counts: { duplicate: 2 } })
    expect(await world.command(drain(ofGroup), 1)).toMatchObject({ counts: { duplicate: 2 } })
  })

  test('of an activate lifts once, and answers with what it has lifted', async () => {
    const world = worldOf()
    await world.command(drain(ofGroup), 1)
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    await expect(world.command(activate(ofGroup), 2)).rejects.toThrow('killed')
    expect(await world.command(activate(ofGroup), 2)).toMatchObject({ counts: { lifted: 2 } })
    expect(await world.heldBy()).toEqual([])
  })
})

test('a member that can not be done is refused with its reason, and harms no other', async () => {
  const twice = [...file, { set: 1, uri: neighbour, flags: 'AP' as const }]
  const world = createWorld({ edges: [{ id: 'edge-a', file: twice }], instances: machines })
  expect(await world.command(drain(ofGroup))).toMatchObject({
    counts: { refused: 1, started: 1 },
    members: [
      { target: other, result: 'refused', because: expect.stringMatching(/lists .*21:5060 more than once/) },
      { target: instanceId, result: 'started' },
    ],
  })
  expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
})

test('what fails of one member keeps no other from beginning, and the message comes again', async () => {
  const world = worldOf()
  world.memory.store.failNext('beginDrain', new Error('throttled'))
  await expect(world.command(drain(ofGroup), 1)).rejects.toThrow('throttled')
  await world.pass(1 * minutes)
  expect(publishedIn(world, 'Drain Started')).toHaveLength(1)
  expect(await world.command(drain(ofGroup), 1)).toMatchObject({ result: 'bulk' })
  await world.pass(1 * minutes)
  expect(publishedIn(world, 'Drain Started')).toHaveLength(2)
})

test('a member that can never begin is refused, and does not wait', async () => {
  const world = worldOf({ clearance: { floors: [{ set: 1, count: 2 }] } })
  expect(await world.command(drain(ofGroup))).toMatchObject({
    counts: { refused: 2 },
    members: [{ because: expect.stringMatching(/^it can never begin: set 1/) }, {}],
  })
  expect(await waitingIn(world)).toEqual([])
})

test('where all of it is more than the sender may hold, nothing of it is done', async () => {
  const world = worldOf({ maxHoldsPerSender: 1 })
  await expect(world.command(drain(ofGroup))).rejects.toMatchObject({
    name: 'CommandRefused',
    message: expect.stringMatching(/has 0 holds, and with 2 more would be above the limit of 1 holds/),
  })
  expect(await world.heldBy()).toEqual([])
  expect(await waitingIn(world)).toEqual([])
})

describe('where nothing is found', () => {
  test.each<[object, RegExp]>([
    [{ set: 7 }, /no edge lists anything in set 7/],
    [{ group: 'strangers' }, /"strangers" is no group of ours; ours are: media-servers/],
    [{ zone: 'eu-central-1c' }, /no running machine of our groups in zone eu-central-1c/],
  ])('%o is a named error', async (many, words) => {
    const world = worldOf()
    for (const body of [drain(many), activate(many)])
      await expect(world.command(body)).rejects.toMatchObject({
        ...{ name: 'EmptyTarget', permanent: true },
        message: expect.stringMatching(words),
      })
  })

  test('an edge that can not be read may list it: the message comes again', async () => {
    const world = worldOf()
    world.edge('edge-b').misbehaviour = { unreachable: true }
    await world.pass(1 * minutes)
    await world.reconcile()
    await expect(world.command(drain({ set: 7 }))).rejects.toMatchObject({ name: 'EdgesUnreadable' })
  })
})

test('where an edge can not be read, what others list is drained, and the answer names the edge', async () => {
  const world = worldOf()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(await world.command(drain({ set: 1 }))).toMatchObject({
    ...{ counts: { started: 2 }, unread: [{ edge: 'edge-b' }] },
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'unreachable' },
    ],
  })
})
