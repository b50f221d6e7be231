import { expect, test } from 'vitest'
import { activate, drain } from '../world/clearance-world.ts'
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
