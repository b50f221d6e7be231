import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { createWorld, file, minutes, seconds, server, verbatim } from '../world/world.ts'

const edit = message('edge-list-update')

test('an edge that is listed while a server is held has it disabled at once, before SIP traffic comes to it', async () => {
  const world = createWorld()
  await world.command({
    version: 1,
    id: 'c-1',
    command: 'drain',
    destination: server,
    reason: 'disk',
    requestedBy: 'alice',
  })
  const added = world.newEdge({ id: 'edge-c', file })
  world.memory.fleet.list.push(added)
  await world.lifecycle(edit)
  await world.settledAll()
  expect(world.flags()['edge-c/1']).toBe('DX')
  expect(world.flags()['edge-c/2']).toBe('DX')
  expect(world.memory.events.of('Edge List Changed')).toMatchObject([
    { parameter: '/dispatcher-control/edges/edge-c', edges: ['edge-a', 'edge-b', 'edge-c'] },
  ])
})

test('an edge whose parameter is edited a moment after it was read is read again at once: it may be another Kamailio now', async () => {
  const world = createWorld()
  await world.command({
    version: 1,
    id: 'c-1',
    command: 'drain',
    destination: server,
    reason: 'disk',
    requestedBy: 'alice',
  })
  await world.settledAll()
  const other = world.newEdge({ id: 'edge-b', file })
  world.memory.fleet.list.splice(1, 1, other)
  await world.lifecycle(edit)
  await world.settledAll()
  expect(world.flags()['edge-b/1']).toBe('DX')
})

test('an edge whose parameter is edited while another run has its lease is read once that one is done: it may have asked the old address', async () => {
  const world = createWorld()
  await world.settledAll()
  const now = world.clock.now()
  await world.memory.store.takeEdge('edge-b', 'other', now, now + 12 * seconds)
  const other = world.newEdge({ id: 'edge-b', file })
  world.memory.fleet.list.splice(1, 1, other)
  await world.lifecycle(edit)
  await world.pass(18 * seconds)
  expect(other.requests).toContain('dispatcher.list')
})

test('an edge that is added in the middle of a drain is waited for too; one that is removed is not forgotten', async () => {
  const world = createWorld()
  const b = world.edge('edge-b')
  const call = b.callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  const added = world.newEdge({ id: 'edge-c', file })
  const onAdded = added.callTo(server)
  world.memory.fleet.list.push(added)
  await world.lifecycle(edit)
  // Its calls may still be up: nobody reads it now, and nobody may say that they are over.
  world.memory.fleet.list.splice(1, 1)
  await world.lifecycle(edit)
  b.hangUp(call)
  await world.pass(5 * minutes)
  expect(world.ended()).toEqual([])
  world.memory.fleet.list.push(b)
  await world.pass(5 * minutes)
  expect(world.ended()).toEqual([])
  added.hangUp(onAdded)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a list that is refused is said with its reason, and the edges that are kept', async () => {
  const world = createWorld()
  world.memory.fleet.reread = async () => new Error('/dispatcher-control/edges/edge-c: is not JSON')
  await world.lifecycle(edit)
  expect(world.memory.events.of('Edge List Refused')).toMatchObject([
    { reason: expect.stringContaining('is not JSON'), edges: ['edge-a', 'edge-b'] },
  ])
  expect(world.memory.events.of('Edge List Changed')).toEqual([])
})

test('an edge that is listed while many servers are held is asked for its list a few times, not once for each of them', async () => {
  const world = createWorld()
  const servers = Array.from({ length: 100 }, (_, n) => verbatim(`sip:10.0.9.${n}:5060`))
  for (const uri of servers)
    await world.memory.store.putHold({
      source: 'operator',
      id: uri,
      subject: { kind: 'uri', uri },
      uris: [uri],
      addresses: [],
      wholeInstance: false,
      who: 'alice',
      why: 'disk',
      placedAt: world.clock.now(),
      until: world.clock.now() + 60 * minutes,
      order: '1',
    })
  const added = world.newEdge({ id: 'edge-c', file: servers.map((uri) => ({ set: 1, uri })) })
  world.memory.fleet.list.push(added)
  await world.lifecycle(edit)
  await world.settledAll()
  expect(added.truth().entries.filter(({ flags }) => !flags.startsWith('D'))).toEqual([])
  expect(added.requests.filter((request) => request === 'dispatcher.list').length).toBeLessThan(10)
})
