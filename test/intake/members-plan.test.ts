import { expect, test } from 'vitest'
import { waitingIn } from '../world/clearance-world.ts'
import { activate, both, drain, ofGroup, other, worldOf } from '../world/members-world.ts'
import { instanceId, seconds, server } from '../world/world.ts'

const dry = { ...ofGroup, dryRun: true }

test('the dry run of a drain of many names each write of all of them on each edge, and writes nothing', async () => {
  const world = worldOf()
  expect(await world.command(drain(dry))).toMatchObject({
    ...{ result: 'bulk-dry-run', counts: { 'dry-run': 2 }, heldBy: [] },
    members: expect.arrayContaining([instanceId, other].map((target) => expect.objectContaining({ target }))),
    edges: ['edge-a', 'edge-b'].map((edge) => ({
      edge,
      plan: { writes: expect.arrayContaining([{ state: 'd', set: 1, uri: server }]), refused: [] },
    })),
  })
  expect(await world.heldBy()).toEqual([])
  expect(await waitingIn(world)).toEqual([])
})

test('it tells which would wait for a floor, which can never begin, and who else holds them', async () => {
  const half = worldOf({ clearance: { floors: [{ group: 'media-servers', percent: 50 }] } })
  const waits = { because: expect.stringContaining('floor is 1'), result: 'waiting' }
  expect(await half.command(drain(dry))).toMatchObject({
    ...{ counts: { 'dry-run': 1, waiting: 1 }, members: [waits, { result: 'dry-run' }] },
  })
  const all = worldOf({ clearance: { floors: [{ group: 'media-servers', count: 2 }] } })
  const never = { because: expect.stringContaining('can never begin'), result: 'refused' }
  expect(await all.command(drain(dry))).toMatchObject({
    ...{ members: [never, never] },
    edges: [{ plan: { writes: [], guards: [] } }, { plan: { writes: [], guards: [] } }],
  })
  const held = worldOf()
  await held.command(drain({ ...ofGroup, id: 'hers', requestedBy: 'carol' }))
  expect(await held.command(drain(dry))).toMatchObject({
    ...{ heldBy: [{ who: 'carol' }, { who: 'carol' }] },
    edges: [{ plan: { writes: [] } }, { plan: { writes: [] } }],
  })
})

test('the dry run of an activate of many names what it would lift, and what comes back', async () => {
  const world = worldOf()
  await world.command(drain(ofGroup))
  expect(await world.command(activate(dry))).toMatchObject({
    ...{ result: 'dry-run', wouldLift: [{ who: 'alice' }, { who: 'alice' }], stillHeld: [] },
    edges: [
      { plan: { givesBack: expect.arrayContaining([{ set: 1, uri: server, shows: 'AP' }]) } },
      { plan: { givesBack: expect.arrayContaining([{ set: 1, uri: server, shows: 'AP' }]) } },
    ],
  })
  expect(await world.heldBy()).toEqual(both)
})

test('the dry run of an activate of many has every edge read first, as that of one', async () => {
  const world = worldOf()
  await world.command(drain(ofGroup))
  await world.pass(20 * seconds)
  for (const edge of world.edges) edge.forgetRequests()
  await world.command(activate(dry))
  expect(world.edges.filter(({ requests }) => requests.length === 0)).toEqual([])
})
