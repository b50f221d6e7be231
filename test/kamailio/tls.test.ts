import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createEdge } from '../../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { startEdge } from '../../lab/edge.ts'
import { startChild, untilReady } from '../../lab/leash.ts'
import { type KamailioRelease, provision, type Tools } from '../../lab/provision.ts'
import {
  clientOf,
  expectNothingOf,
  held,
  ours,
  post,
  rpcSecret,
  type TlsEdge,
  type TlsEdgeSpec,
  theirs,
  tlsContract,
  ways,
} from '../kamailio-client/tls-contract.ts'

const address = '127.0.1.62'
const runDir = mkdtempSync(join(tmpdir(), 'kamailio-tls-'))
let provided: Tools | undefined
beforeAll(async () => {
  const lines: string[] = []
  provided = await provision({ kamailio: ['6.1', '5.6'], log: (line) => void lines.push(line) })
})
afterAll(() => rmSync(runDir, { recursive: true }))

let last = 0

/** An edge with the product's files, whose RPC socket alone asks for certificates: SIP over TLS goes on as before. */
async function open(release: KamailioRelease, spec: TlsEdgeSpec): Promise<TlsEdge & { logFile: string }> {
  const kamailio = provided?.kamailio.get(release)
  if (kamailio === undefined) throw new Error(`Kamailio ${release} was not provisioned`)
  const name = `edge${++last}`
  const plain = await startEdge({
    ...{ name, address, kamailio, runDir, secret: rpcSecret, dialogDb: false, pingSeconds: 0 },
    destinations: [{ group: 1, uri: 'sip:127.0.2.62:5060' }],
  })
  await plain.stop()
  const dir = join(runDir, name)
  const inDir = (file: string) => join(dir, file)
  const settings = readFileSync(inDir('settings.cfg'), 'utf8')
  const own = [
    'enable_tls=yes',
    '#!ifdef KAMAILIO_6',
    'tls_threads_mode=2',
    '#!endif',
    'loadmodule "tls.so"',
    `modparam("tls", "config", "${inDir('tls.cfg')}")`,
  ]
  const listen = /(DC_RPC_LISTEN )tcp:/
  if (!listen.test(settings)) throw new Error('settings.cfg names no DC_RPC_LISTEN of tcp')
  writeFileSync(inDir('settings.cfg'), [settings.replace(listen, '$1tls:'), ...own, ''].join('\n'))
  writeFileSync(inDir('edge.pem'), spec.identity.certificate)
  writeFileSync(inDir('edge.key'), spec.identity.key, { mode: 0o600 })
  if (spec.clientCa !== undefined) writeFileSync(inDir('clients.pem'), spec.clientCa)
  writeFileSync(inDir('tls.cfg'), tlsConfig(inDir, `${address}:${plain.rpcPort}`, spec))
  const argv = [...kamailio.argv, '-f', inDir('kamailio.cfg'), '-DD', '-E', '-Y', dir, '-P', inDir('pid')]
  const child = await startChild({ name: `${name}-tls`, argv, runDir: dir })
  const url = `https://${address}:${plain.rpcPort}/rpc`
  // It is there as soon as it answers, be it with a refusal.
  await untilReady(child, async () => {
    const probe = createHttpTransport({ url, timeoutMs: 5000, tls: { ca: ours.certificate } })
    const outcome = await post(probe)
    await probe.close()
    return 'status' in outcome || outcome.failure === 'untrusted'
  })
  return { url, close: () => child.stop(), logFile: child.logFile }
}

/** As kamailio/README.md has it, with our paths. */
function tlsConfig(inDir: (file: string) => string, socket: string, spec: TlsEdgeSpec): string {
  const asks = spec.clientCa === undefined ? 'no' : 'yes'
  const shown = [`certificate = ${inDir('edge.pem')}`, `private_key = ${inDir('edge.key')}`]
  return [
    '[server:default]',
    ...['method = TLSv1.2+', 'verify_certificate = no', 'require_certificate = no', ...shown],
    `[server:${socket}]`,
    ...[`method = ${spec.newest === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.2+'}`, ...shown],
    ...[`verify_certificate = ${asks}`, `require_certificate = ${asks}`],
    ...(spec.clientCa === undefined ? [] : [`ca_list = ${inDir('clients.pem')}`]),
    '[client:default]',
    ...['verify_certificate = no', 'require_certificate = no', ''],
  ].join('\n')
}

for (const release of ['6.1', '5.6'] as const) {
  tlsContract(`a real Kamailio ${release}`, () => ({
    address,
    saysWhy: true,
    open: (spec) => open(release, spec),
  }))

  describe(`the client over TLS to a real Kamailio ${release}`, () => {
    test('a certificate is a lock beside the secret: without the one it is untrusted, without the other unauthorized', async () => {
      const identity = ours.issue({ name: 'edge', host: address })
      const edge = await open(release, { identity, clientCa: ours.certificate, newest: 'TLSv1.3' })
      onTestFinished(() => edge.close())
      const over = async (secret: string, client: ReturnType<typeof clientOf>) => {
        const tls = { ca: ours.certificate, client }
        const transport = await ways.directly(edge.url, held(tls))
        const key = { secret: async () => secret, refreshSecret: async () => secret }
        const made = createEdge({ id: 'edge-a', transport, key, restoresDialogs: false, timeoutMs: 5000 })
        return made.list().catch((error: unknown) => {
          expectNothingOf(tls, error)
          throw error
        })
      }
      expect(await over(rpcSecret, clientOf(ours))).toMatchObject({
        destinations: [{ uri: 'sip:127.0.2.62:5060' }],
      })
      await expect(over('another-secret', clientOf(ours))).rejects.toMatchObject({ fault: 'unauthorized' })
      const refused = over(rpcSecret, clientOf(theirs))
      await expect(refused).rejects.toMatchObject({ name: 'EdgeError', fault: 'untrusted' })
      await expect(refused).rejects.toThrow(
        /^edge edge-a: untrusted: .*: our client certificate is not signed/,
      )
      // What was refused at the handshake has not reached the routes, which would log it.
      expect(readFileSync(edge.logFile, 'utf8').match(/wrong key/g)).toHaveLength(1)
    })

    test('the RPC socket speaks no SIP over TLS either, whatever certificate is shown', async () => {
      const identity = ours.issue({ name: 'edge', host: address })
      const edge = await open(release, { identity, clientCa: ours.certificate, newest: 'TLSv1.3' })
      onTestFinished(() => edge.close())
      const { certificate: cert, key } = clientOf(ours)
      const { hostname: host, port } = new URL(edge.url)
      const socket = connect({ host, port: Number(port), ca: ours.certificate, cert, key })
      onTestFinished(() => void socket.destroy())
      await once(socket, 'secureConnect')
      socket.write(
        [
          `OPTIONS sip:${address} SIP/2.0`,
          `Via: SIP/2.0/TLS ${address}:5099;branch=z9hG4bK1;rport`,
          'Max-Forwards: 5',
          `From: <sip:a@${address}>;tag=1`,
          `To: <sip:${address}>`,
          'Call-ID: over-tls',
          'CSeq: 1 OPTIONS',
          'Content-Length: 0',
          '\r\n',
        ].join('\r\n'),
      )
      // One connection's messages are answered in their order: what comes first now is no answer to SIP.
      socket.write('GET /rpc HTTP/1.1\r\nContent-Length: 0\r\n\r\n')
      const [answer] = await once(socket, 'data')
      expect(String(answer)).toMatch(/^HTTP\/1\.1 404/)
    })
  })
}
