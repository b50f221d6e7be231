import { expect, test } from 'vitest'
import { createWorld, hours, minutes, server } from '../world/world.ts'

test('a zero that keepalives made without a proof is unknown for as long as a call may last', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', keepalives: true }, { id: 'edge-b' }] })
  const a = world.edge('edge-a')
  const call = a.callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  a.reap(call)
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: [expect.stringContaining('its keepalives have ended 1 calls there that may be up')],
  })
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.ended()[0]?.at).toBeGreaterThan(1 * hours)
})

test('an edge that sends keepalives is asked what they have ended, and where that is nothing a drain ends as ever', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', keepalives: true }] })
  const a = world.edge('edge-a')
  await world.scaleIn()
  await world.pass(1 * minutes)
  expect(a.requests.filter((request) => request.includes('reaped:')).length).toBeGreaterThan(0)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})
