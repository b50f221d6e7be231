import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MediaServer } from '../../lab/sip/calls.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { oneAtATime } from '../port-contracts/one-at-a-time.ts'
import { clientOf, listable, secret } from './edge-world.ts'
import { type Lab, openLab, until } from './lab.ts'

describe.each(['6.1', '5.6'] as const)('calls ended on Kamailio %s', (release) => {
  let lab: Lab
  let server: MediaServer
  let phone: MediaServer

  beforeAll(async () => {
    lab = await openLab(release)
    server = await lab.server('127.0.2.5')
    phone = await lab.server('127.0.4.5')
  })
  afterAll(() => lab.close())

  const open = async (uri = server.uri) => {
    const edge = await lab.edge({
      destinations: [{ set: 1, uri }],
      secret,
      endsCalls: true,
      dialogDb: false,
    })
    return { edge, client: clientOf(edge) }
  }
  const callsTo = (uri: string) => ({ uris: [listable(uri)], addresses: [] })

  test('both ends get a BYE, of calls to a media server and from it', async () => {
    const { edge, client } = await open()
    const inbound = await lab.hold(edge, { maxCalls: 4, callMs: 3000 })
    const outbound = await lab.hold(edge, {
      maxCalls: 4,
      callMs: 3000,
      address: server.address,
      called: 'phone',
      calledHost: `${phone.address}:${phone.port}`,
      placedBy: server.name,
    })
    expect(await client.endCalls({ uris: [listable(server.uri)], addresses: [server.address] }, 50)).toBe(8)
    await Promise.all([inbound.done, outbound.done])
    // The scenario's caller takes a BYE that it did not expect for the end of the call: cut.
    const calls = [...lab.callsOf(inbound), ...lab.callsOf(outbound)]
    expect(calls.map(({ outcome }) => outcome)).toEqual(Array(8).fill('cut'))
    const byes = calls.filter(({ byeAtServerAt }) => byeAtServerAt !== undefined).length
    // 5.6 leaves out the callee's where the caller's is answered very fast, as on loopback
    // (kamailio/README.md).
    expect(byes).toBeGreaterThanOrEqual(release === '6.1' ? 8 : 1)
    await client.close()
  })

  test('a call that rings is left to ring', async () => {
    const slow = await lab.server('127.0.2.6', { behaviour: 'refuse', ringMs: 3000 })
    const { edge, client } = await open(slow.uri)
    const caller = await lab.caller(edge, { maxCalls: 1 })
    await until('it rings', () => lab.ledger.invitesAt(slow.name).length === 1)
    expect(await client.endCalls(callsTo(slow.uri), 50)).toBe(0)
    expect((await oneAtATime(client).countOf(callsTo(slow.uri))).calls).toBe(1)
    await caller.done
    expect(lab.callsOf(caller)).toMatchObject([{ outcome: 'failed', why: '503' }])
    await client.close()
  })

  test('a Call-ID with a quote and a backslash is left out and said; its neighbour is ended', async () => {
    const { edge, client } = await open()
    const strange = await invite(edge, 'a"quoted\\id@x')
    const plain = await invite(edge, 'a-plain-id@x')
    await until(
      'both are answered',
      async () => (await oneAtATime(client).countOf(callsTo(server.uri))).calls === 2,
    )
    expect(await client.endCalls(callsTo(server.uri), 50)).toBe(1)
    await until(
      'one is over',
      async () => (await oneAtATime(client).countOf(callsTo(server.uri))).calls === 1,
    )
    await expect(client.endCalls(callsTo(server.uri), 50)).rejects.toThrow(/a\\"quoted/)
    for (const caller of [strange, plain]) caller.close()
    await client.close()
  })
})

/** A caller that says nothing but an INVITE, answers its BYE, and has this Call-ID. */
async function invite(edge: Edge, callId: string): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.3.5')
  await once(socket, 'listening')
  const me = `127.0.3.5:${socket.address().port}`
  const answered = once(socket, 'answered')
  socket.on('message', (message) => {
    const text = message.toString()
    if (text.startsWith('SIP/2.0 200')) socket.emit('answered')
    if (!text.startsWith('BYE')) return
    const kept = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line))
    socket.send(
      ['SIP/2.0 200 OK', ...kept, 'Content-Length: 0', '', ''].join('\r\n'),
      edge.sipPort,
      edge.address,
    )
  })
  const lines = [
    `INVITE sip:svc@${edge.address}:${edge.sipPort} SIP/2.0`,
    `Via: SIP/2.0/UDP ${me};branch=z9hG4bK-${me}`,
    `From: <sip:x@${me}>;tag=caller`,
    `To: <sip:svc@${edge.address}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:x@${me}>`,
    'Max-Forwards: 70',
    'Content-Length: 0',
  ]
  socket.send([...lines, '', ''].join('\r\n'), edge.sipPort, edge.address)
  await answered
  return socket
}
