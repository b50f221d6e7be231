import { createServer } from 'node:https'
import { expect, onTestFinished, test, vi } from 'vitest'
import { edgeAccessEnvironment } from '../../functions/contracts/names.ts'
import { relayHandler } from '../../functions/runtime/relay-handler.ts'
import { freePort } from '../../lab/programs/free-port.ts'
import { some } from '../present.ts'
import { clientOf, expectNothingOf, ours } from './tls-contract.ts'

const address = '127.0.1.63'
const body = '{"jsonrpc":"2.0","method":"core.uptime","params":[],"id":1}'

async function openRelay() {
  const { certificate: cert, key } = ours.issue({ name: 'edge', host: address })
  const shown: (string | undefined)[] = []
  const server = createServer({ cert, key, ca: ours.certificate, requestCert: true }, (request, response) => {
    request.resume()
    response.end('{}')
  })
  server.keepAliveTimeout = 60_000
  let open = 0
  server.on('secureConnection', (socket) => {
    open += 1
    shown.push(socket.getPeerX509Certificate()?.fingerprint256)
    socket.on('close', () => {
      open -= 1
    })
  })
  const port = await freePort(address)
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  vi.stubEnv(edgeAccessEnvironment.relayTargets, JSON.stringify({ networks: ['127.0.0.0/8'], port }))
  const relay = relayHandler()
  vi.unstubAllEnvs()
  const ask = (tls?: unknown) =>
    relay({
      url: `https://${address}:${port}/rpc`,
      body,
      limit: 1000,
      timeoutMs: 5000,
      ...(tls !== undefined && { tls }),
    })
  return { ask, shown, open: () => open }
}

test('the relay speaks with the certificate that it is given, and keeps connections for the last few alone', async () => {
  const { ask, shown, open } = await openRelay()
  const materials = Array.from({ length: 7 }, () => ({ ca: ours.certificate, client: clientOf(ours) }))
  for (const tls of some(materials))
    for (let nth = 0; nth < 3; nth += 1) expect(await ask(tls)).toMatchObject({ status: 200 })
  expect(new Set(shown).size).toBe(materials.length)
  await vi.waitFor(() => expect(open()).toBeLessThanOrEqual(4 * 2))
  const before = shown.length
  expect(await ask(materials.at(-1))).toMatchObject({ status: 200 })
  expect(shown).toHaveLength(before)
})

test('what is given to the relay as TLS is checked first, and shown by no answer', async () => {
  const { ask, shown } = await openRelay()
  const client = clientOf(ours)
  const tls = { ca: ours.certificate, client }
  for (const wrong of [
    'planted-secret',
    { ca: 'planted-secret' },
    { ca: ours.certificate, client: { certificate: client.certificate } },
    { ca: ours.certificate, client, extra: 'planted-secret' },
    { ca: `${ours.certificate}${'planted-secret'.repeat(1000)}` },
  ]) {
    const answer = await ask(wrong)
    expect(answer).toEqual({ failure: 'malformed', why: 'the relay was asked for something else' })
  }
  const unreadable = `-----BEGIN CERTIFICATE-----\n${Buffer.from('planted-secret').toString('base64')}\n-----END CERTIFICATE-----\n`
  for (const wrong of [
    { ...tls, client: { ...client, certificate: unreadable } },
    { ...tls, client: { ...client, key: ours.key } },
  ]) {
    const answer = await ask(wrong)
    expect(answer).toMatchObject({ failure: 'untrusted' })
    expectNothingOf(wrong, answer)
  }
  expect(shown).toEqual([])
})

test('a relay without TLS of ours trusts no edge of a CA that it does not know', async () => {
  const { ask } = await openRelay()
  expect(await ask()).toMatchObject({ failure: 'untrusted' })
})
