import { expect, test } from 'vitest'
import { activate, drain } from '../world/clearance-world.ts'
import { activate as activateMany, drain as drainMany, other, worldOf } from '../world/members-world.ts'
import { createWorld, drainId, minutes, server } from '../world/world.ts'

test('beside a lifecycle hold an activate lifts one’s own, drops what waits, and names who else holds it', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(drain(server, { id: 'bobs', requestedBy: 'bob' }))
  const from = new Date(world.clock.now() + 60 * minutes).toISOString()
  await world.command(drain(server, { id: 'window', from }))
  await world.scaleIn()
  await world.pass(1 * minutes)
  expect(await world.command(activate(server, { id: 'dry-1', dryRun: true }))).toMatchObject({
    wouldDrop: [{}],
  })
  expect(await world.command(activate(server))).toMatchObject({
    result: 'lifted',
    dropped: [{ who: 'alice' }],
  })
  expect(await world.command(activate(server, { id: 'activate-2' }))).toMatchObject({
    result: 'nothing-to-lift',
  })
  const bobs = activate(server, { id: 'activate-3', requestedBy: 'bob' })
  expect(await world.command(bobs)).toMatchObject({ result: 'lifted', stillHeld: [{ source: 'lifecycle' }] })
  await expect(world.command(activate(server, { id: 'activate-4', requestedBy: 'bob' }))).rejects.toThrow(
    drainId,
  )
  expect(await world.heldBy()).toEqual([drainId])
})

test.each<[string, object]>([
  ['group', { group: 'media-servers' }],
  ['set', { set: 1 }],
  ['zone', { zone: 'eu-central-1a' }],
])(
  'an activate of a %s that a scale-in alone holds is refused with the reason, and so is its dry run',
  async (_, many) => {
    const world = worldOf()
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(1 * minutes)
    for (const dryRun of [true, false])
      await expect(
        world.command(activateMany({ ...many, id: `dry-${dryRun}`, dryRun })),
      ).rejects.toMatchObject({
        name: 'CommandRefused',
        message: expect.stringMatching(new RegExp(`what holds it is ${drainId}, which no command lifts`)),
      })
    expect(await world.heldBy()).toEqual([drainId])
  },
)

test('an activate of many lifts and drops one’s own beside a scale-in, and comes twice without being refused', async () => {
  const world = worldOf()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  await world.command(drainMany({ instance: other }), 1)
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  const back = activateMany({ group: 'media-servers' })
  await expect(world.command(back, 2)).rejects.toThrow('killed')
  expect(await world.command(back, 2)).toMatchObject({
    ...{ result: 'bulk', counts: { lifted: 1 } },
    stillHeld: [{ source: 'lifecycle' }],
  })
  expect(await world.heldBy()).toEqual([drainId])
})
