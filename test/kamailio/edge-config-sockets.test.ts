import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { freePort } from '../../lab/programs/free-port.ts'
import type { Edge, EdgeSpec } from '../../lab/sip/edge.ts'
import { send } from '../../lab/sip/edge-rpc.ts'
import { createAuthority } from '../rpc-client/tls-certificates.ts'
import { type Lab, openLab } from './lab.ts'
import { inviteStatus, type SipStub, sipRequest, startStub } from './raw-sip.ts'
import { askEdge, requestLine } from './rpc-requests.ts'

const address = '127.0.1.1'
const socketsSchema = z.object({
  result: z.array(z.object({ socket: z.object({ proto: z.string(), port: z.string() }) })),
})
const ownHttp = [
  '\tif ($hu == "/metrics") { xhttp_reply("200", "OK", "text/plain", "mine\\n"); exit; }',
  '\tset_reply_close();',
].join('\n')
/**
 * An edge of somebody with sockets, HTTP routes and a pre-routing of his own; the example is none of these.
 */
const ownParts = (port: number) => (example: string) =>
  example
    .replace(
      'dns=no',
      `dns=no\nlisten=udp:DC_SIP_LISTEN\nlisten=tcp:DC_SIP_LISTEN\nlisten=tcp:${address}:${port}`,
    )
    .replace('\tset_reply_close();', ownHttp)
    .concat(
      'event_route[core:pre-routing] {\n\troute(DISPATCHER_CONTROL_NO_SIP);\n\txlog("L_ERR", "mine saw $rm\\n");\n}\n',
    )

describe.each(['6.1', '5.6'] as const)('sockets of an edge on Kamailio %s', (release) => {
  let lab: Lab
  let media: SipStub
  let tcpMedia: SipStub
  let example: Edge
  let own: Edge
  let ownPort: number

  beforeAll(async () => {
    lab = await openLab(release)
    ;[media, tcpMedia, ownPort] = await Promise.all([
      startStub('127.0.2.9'),
      startStub('127.0.2.8', { transport: 'tcp' }),
      freePort(address),
    ])
    const destinations = [
      { set: 1, uri: media.uri },
      { set: 2, uri: tcpMedia.uri },
    ]
    const shared: Pick<EdgeSpec, 'destinations' | 'pingSeconds'> = { destinations, pingSeconds: 60 }
    example = await lab.edge(shared)
    own = await lab.edge({ ...shared, settings: { DC_OWN_PRE_ROUTING: '' }, edit: ownParts(ownPort) })
  })
  afterAll(async () => {
    await Promise.all([media.stop(), tcpMedia.stop()])
    await lab.close()
  })

  test('a configuration without a `listen` keeps SIP over UDP and TCP, both before the RPC socket', async () => {
    expect(await socketsOf(example)).toEqual([
      `udp ${example.sipPort}`,
      `tcp ${example.sipPort}`,
      `tcp ${example.rpcPort}`,
    ])
    expect(await inviteStatus(example)).toBe(486)
  })

  test('a socket that the configuration already has is taken once, and its others stay', async () => {
    expect(await socketsOf(own)).toEqual([
      `udp ${own.sipPort}`,
      `tcp ${own.sipPort}`,
      `tcp ${ownPort}`,
      `tcp ${own.rpcPort}`,
    ])
    expect(await inviteStatus(own)).toBe(486)
  })

  test('Record-Route and Via towards a TCP destination name the SIP socket, not the RPC one', async () => {
    const uri = `sip:long@${example.address}:${example.sipPort}`
    expect(await inviteStatus(example, { uri })).toBe(486)
    const [invite = ''] = tcpMedia.invites.slice(-1)
    expect(invite).toContain(`Via: SIP/2.0/TCP ${address}:${example.sipPort};`)
    expect(invite).toMatch(new RegExp(`Record-Route: <sip:${address}:${example.sipPort};`))
    expect(invite).not.toContain(`${example.rpcPort}`)
  })

  test('the FIFO goes on answering, and a transport of the user’s own stays but for HTTP', async () => {
    expect(await socketsOf(example)).not.toEqual([])
    const onlyHttp = await lab.edge({ destinations: [], settings: { DC_JSONRPC_TRANSPORT: 1 } })
    expect(await onlyHttp.call('core.uptime', [])).toBeDefined()
    expect(() => writeFileSync(fifoOf(onlyHttp), '', { flag: 'r+' })).toThrow('ENOENT')
  })

  test.each(['the example', 'an edge with a pre-routing of its own'])(
    'the RPC socket of %s hears no INVITE, no OPTIONS and no reply, and HTTP goes on',
    async (which) => {
      const edge = which === 'the example' ? example : own
      const before = media.invites.length
      const socket = await connected(edge.rpcPort)
      const me = `127.0.0.1:${socket.localPort}`
      const uri = `sip:short@${address}:${edge.rpcPort}`
      const spec = { uri, via: 'TCP', from: me }
      const options = { ...spec, uri: `sip:${address}:${edge.rpcPort}` }
      for (const message of [
        sipRequest('INVITE', spec),
        sipRequest('OPTIONS', options),
        replyText(edge, media, me),
      ])
        socket.write(message)
      expect(await answerTo(socket, edge)).toMatch(/^HTTP\/1\.1 200 /)
      expect(media.invites.length).toBe(before)
      socket.destroy()
    },
  )

  test('a TLS socket of the RPC hears no SIP either', async () => {
    const port = await freePort(address)
    const identity = createAuthority('a CA').issue({ name: 'edge', host: address })
    const dir = mkdtempSync(join(tmpdir(), 'edge-tls-'))
    const [certificate, key] = [join(dir, 'edge.pem'), join(dir, 'edge.key')]
    writeFileSync(certificate, identity.certificate)
    writeFileSync(key, identity.key)
    const withTls = (text: string) =>
      text
        .replace('loadmodule "xhttp.so"', 'loadmodule "tls.so"\nloadmodule "xhttp.so"')
        .replace('dns=no', 'dns=no\nenable_tls=yes')
        .replace('include_file "rpc.cfg"', `include_file "rpc.cfg"\n${tlsLines(port, certificate, key)}`)
    const edge = await lab.edge({
      destinations: [{ set: 1, uri: media.uri }],
      pingSeconds: 60,
      edit: withTls,
    })
    const before = media.invites.length
    const socket = tlsConnect({ host: address, port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const from = `127.0.0.1:${socket.localPort}`
    socket.write(sipRequest('INVITE', { uri: `sip:short@${address}:${port}`, via: 'TLS', from }))
    expect(await answerTo(socket, edge)).toMatch(/^HTTP\/1\.1 200 /)
    expect(media.invites.length).toBe(before)
    socket.destroy()
    rmSync(dir, { recursive: true })
  })

  test('SIP over TCP is heard on the SIP socket, where the RPC is not', async () => {
    const socket = await connected(example.sipPort)
    const spec = {
      uri: `sip:${address}:${example.sipPort}`,
      via: 'TCP',
      from: `127.0.0.1:${socket.localPort}`,
    }
    socket.write(sipRequest('OPTIONS', spec))
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).toMatch(/^SIP\/2\.0 200 /)
    socket.destroy()
    const reply = await send(
      { host: address, port: example.sipPort },
      { body: requestLine('core.uptime'), headers: { 'x-rpc-key': example.secret } },
    )
    expect(reply.status).toBe(404)
  })

  test('HTTP on another port goes on to the routes of its owner', async () => {
    const reply = await send({ host: address, port: ownPort }, { path: '/metrics', method: 'GET' })
    expect(reply).toMatchObject({ status: 200, body: 'mine\n' })
    const metrics = await askEdge(own, { path: '/metrics', method: 'GET' })
    expect(metrics.status).toBe(404)
    const rpc = await send(
      { host: address, port: ownPort },
      { body: requestLine('core.uptime'), headers: { 'x-rpc-key': own.secret } },
    )
    expect(rpc.status).toBe(404)
  })
})

function tlsLines(port: number, certificate: string, key: string): string {
  return [
    `listen=tls:${address}:${port} name "dispatcher_control_rpc"`,
    'modparam("tls", "tls_method", "TLSv1.2+")',
    `modparam("tls", "certificate", "${certificate}")`,
    `modparam("tls", "private_key", "${key}")`,
  ].join('\n')
}

function fifoOf(edge: Edge): string {
  return join(dirname(edge.logFile), 'kamailio_rpc.fifo')
}

/** What Kamailio listens on, in its order, asked by the FIFO as kamcli does. */
async function socketsOf(edge: Edge): Promise<readonly string[]> {
  const name = `sockets-${process.pid}-${edge.name}`
  const reply = join('/tmp', name)
  execFileSync('mkfifo', ['-m', '666', reply])
  try {
    const answer = readFile(reply, 'utf8')
    const call = { jsonrpc: '2.0', method: 'core.sockets_list', reply_name: name, id: 1 }
    writeFileSync(fifoOf(edge), `${JSON.stringify(call)}\n`, { flag: 'r+' })
    const { result } = socketsSchema.parse(JSON.parse(await answer))
    return result.map(({ socket }) => `${socket.proto} ${socket.port}`)
  } finally {
    rmSync(reply)
  }
}

/** What comes first after an RPC on a connection: all that was sent before it has been dealt with. */
async function answerTo(socket: Socket, edge: Edge): Promise<string> {
  const body = requestLine('core.uptime')
  const heads = ['POST /rpc HTTP/1.1', `X-RPC-Key: ${edge.secret}`, `Content-Length: ${body.length}`]
  const first = once(socket, 'data')
  socket.write([...heads, '', body].join('\r\n'))
  return String((await first)[0])
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ host: address, port, localAddress: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

/** A reply that Kamailio would forward to the media server, as its second Via says. */
function replyText(edge: Edge, media: SipStub, me: string): string {
  return [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/TCP ${edge.address}:${edge.rpcPort};branch=z9hG4bK-none`,
    `Via: SIP/2.0/UDP ${media.uri.replace('sip:', '')};branch=z9hG4bK-other`,
    `From: <sip:raw@${me}>;tag=a`,
    `To: <sip:raw@${me}>;tag=b`,
    'Call-ID: a-reply',
    'CSeq: 1 INVITE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}
