import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createEdge } from '../../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { freePort } from '../../lab/programs/free-port.ts'
import { startChild, untilReady } from '../../lab/programs/leash.ts'
import type { KamailioRelease } from '../../lab/programs/program.ts'
import { provision, type Tools } from '../../lab/programs/provision.ts'
import { startEdge } from '../../lab/sip/edge.ts'
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
} from '../rpc-client/tls-contract.ts'

const address = '127.0.1.62'
const runDir = mkdtempSync(join(tmpdir(), 'kamailio-tls-'))
let provided: Tools | undefined
beforeAll(async () => {
  const lines: string[] = []
  provided = await provision({ kamailio: ['6.1', '5.6'], log: (line) => void lines.push(line) })
})
afterAll(() => rmSync(runDir, { recursive: true }))

let last = 0

interface RealTlsEdge extends TlsEdge {
  readonly rpcPort: number
  /** of SIP over TLS, which asks for no certificate */
  readonly sipPort: number
  readonly logFile: string
}

/** An edge with the product's files. Its RPC socket alone asks for certificates. */
async function open(release: KamailioRelease, spec: TlsEdgeSpec): Promise<RealTlsEdge> {
  const kamailio = provided?.kamailio.get(release)
  if (kamailio === undefined) throw new Error(`Kamailio ${release} was not provisioned`)
  const name = `edge${++last}`
  const plain = await startEdge({
    ...{ name, address, kamailio, runDir, secret: rpcSecret, dialogDb: false, pingSeconds: 0 },
    destinations: [{ set: 1, uri: 'sip:127.0.2.62:5060' }],
  })
  await plain.stop()
  const dir = join(runDir, name)
  const inDir = (file: string) => join(dir, file)
  const settings = readFileSync(inDir('settings.cfg'), 'utf8')
  const sipPort = await freePort(address)
  const own = [
    `listen=tls:${address}:${sipPort}`,
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
  const answers = async () => {
    const probe = createHttpTransport({ url, timeoutMs: 5000, tls: { ca: ours.certificate } })
    const outcome = await post(probe)
    await probe.close()
    return 'status' in outcome || outcome.failure === 'untrusted'
  }
  await untilReady(child, answers)
  const died = async () => {
    if (await answers()) return
    await child.stop()
    return (
      /child process \d+ exited by .*/.exec(readFileSync(child.logFile, 'utf8'))?.[0] ?? 'no child of it died'
    )
  }
  return { url, rpcPort: plain.rpcPort, sipPort, died, close: () => child.stop(), logFile: child.logFile }
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
    bearsTwo: release !== '5.6',
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

    test('SIP over TLS goes on where no certificate is asked for; the RPC socket speaks none, whatever is shown', async () => {
      const identity = ours.issue({ name: 'edge', host: address })
      const edge = await open(release, { identity, clientCa: ours.certificate, newest: 'TLSv1.3' })
      onTestFinished(() => edge.close())
      const sip = await securely(edge.sipPort)
      sip.write(options(edge.sipPort))
      expect(String((await once(sip, 'data'))[0])).toMatch(/^SIP\/2\.0 /)

      const { certificate: cert, key } = clientOf(ours)
      const rpc = await securely(edge.rpcPort, { cert, key })
      rpc.write(options(edge.rpcPort))
      // One connection's messages are answered in their order: what comes first now is no answer to SIP.
      rpc.write('GET /rpc HTTP/1.1\r\nContent-Length: 0\r\n\r\n')
      expect(String((await once(rpc, 'data'))[0])).toMatch(/^HTTP\/1\.1 404/)
    })
  })
}

/** A TLS connection to the edge. It ends with the test. */
async function securely(port: number, shown: { readonly cert?: string; readonly key?: string } = {}) {
  const socket = connect({ host: address, port, ca: ours.certificate, ...shown })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

function options(port: number): string {
  return [
    `OPTIONS sip:${address}:${port};transport=tls SIP/2.0`,
    `Via: SIP/2.0/TLS ${address}:5099;branch=z9hG4bK1;rport`,
    'Max-Forwards: 5',
    `From: <sip:a@${address}>;tag=1`,
    `To: <sip:${address}>`,
    'Call-ID: over-tls',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
}
