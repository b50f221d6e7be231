import { connect, createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createRelayTransport } from '../../functions/aws/relay-transport.ts'
import type { EdgeTls } from '../../functions/contracts/edge-tls.ts'
import type { RpcOutcome, RpcTransport } from '../../functions/contracts/rpc.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { createTlsTransport, type EdgeTlsSource } from '../../functions/kamailio/tls-transport.ts'
import { freePort } from '../../lab/programs/free-port.ts'
import { some } from '../present.ts'
import { throughRelay } from './gateway-paths.ts'
import { createAuthority, type Identity } from './tls-certificates.ts'

export const ours = createAuthority('Our CA')
export const theirs = createAuthority("Somebody else's CA")
const past = new Date(Date.now() - 60_000)

/** What an edge shows, and what it asks for. */
export interface TlsEdgeSpec {
  readonly identity: Identity
  /** whose certificates a client must have; without it none is asked for */
  readonly clientCa?: string
  readonly newest: 'TLSv1.2' | 'TLSv1.3'
}
export interface TlsEdge {
  /** at 127.0.1.x */
  readonly url: string
  /** why it no longer answers, though nobody has closed it; then it is gone */
  died(): Promise<string | undefined>
  close(): Promise<void>
}
export interface TlsPlaces {
  /** the edges' */
  readonly address: string
  /** Whether one that refuses a certificate says why, as Kamailio does; a server of Node's only closes. */
  readonly saysWhy: boolean
  /** Whether it bears two handshakes at the same time. Kamailio 5.6 does not (kamailio/README.md, "TLS"). */
  readonly bearsTwo: boolean
  open(spec: TlsEdgeSpec): Promise<TlsEdge>
}

export const rpcSecret = 'the-secret-of-this-test'
const request = '{"jsonrpc":"2.0","method":"core.uptime","params":[],"id":1}'

export function post(transport: RpcTransport): Promise<RpcOutcome> {
  const signal = AbortSignal.timeout(5000)
  return transport.post({ body: request, secret: rpcSecret, limit: 10_000, signal })
}

/** Our side as the store of parameters holds it, and how often it was read again. */
export function held(first: EdgeTls, next: EdgeTls = first): EdgeTlsSource & { refreshed(): number } {
  let now = first
  let refreshed = 0
  return {
    get: async () => now,
    refresh: async () => {
      refreshed += 1
      now = next
      return now
    },
    refreshed: () => refreshed,
  }
}

/** Each way that takes our TLS to an edge. It ends with the test. */
export const ways = {
  async directly(url: string, source: EdgeTlsSource): Promise<RpcTransport> {
    return kept(createTlsTransport(source, (tls) => createHttpTransport({ url, timeoutMs: 5000, tls })))
  },
  async 'by the relay'(url: string, source: EdgeTlsSource): Promise<RpcTransport> {
    const { client } = await throughRelay(url)
    const relay = { client, functionName: 'edge-relay', url, timeoutMs: 5000 }
    return kept(createTlsTransport(source, (tls) => createRelayTransport({ ...relay, tls })))
  },
}

function kept(transport: RpcTransport): RpcTransport {
  onTestFinished(() => transport.close())
  return transport
}

export const clientOf = (authority: typeof ours, expires?: Date) =>
  authority.issue({ name: 'dispatcher-control', ...(expires && { expires }) })
const good = clientOf(ours)

/**
 * Why an edge that asks for a client certificate of our CA, and shows one, is not spoken to: what we hold,
 * and what is said.
 */
const mistrusted: readonly [string, EdgeTls, RegExp][] = [
  [
    'an edge of another CA than ours',
    { ca: theirs.certificate, client: good },
    /the edge's certificate is not signed by our CA: put the CA .*edgeTls\.caParameter/,
  ],
  [
    'an edge that wants a client certificate where we have none',
    { ca: ours.certificate },
    /the edge wants a client certificate, and none is configured: .*edgeTls\.certificateParameter and keyParameter/,
  ],
  [
    'a client certificate of another CA',
    { ca: ours.certificate, client: clientOf(theirs) },
    /our client certificate is not signed by a CA that the edge trusts: compare the edge's ca_list/,
  ],
  [
    'a client certificate that has expired',
    { ca: ours.certificate, client: clientOf(ours, past) },
    /our client certificate has expired: renew/,
  ],
]

/** What holds of TLS to an edge, whatever it runs and by whichever way it is reached. */
export function tlsContract(what: string, places: () => TlsPlaces): void {
  describe.each(['TLSv1.3', 'TLSv1.2'] as const)(`${what} that speaks %s`, (newest) => {
    let asking: TlsEdge
    const edgeOf = (spec: Omit<TlsEdgeSpec, 'newest'>) => places().open({ newest, ...spec })
    const identity = (expires?: Date, host = places().address) =>
      ours.issue({ name: 'edge', host, ...(expires && { expires }) })
    const ask = async () => {
      asking = await edgeOf({ identity: identity(), clientCa: ours.certificate })
    }
    beforeAll(ask)
    // As the init system of an edge does. What it died of is Kamailio's own (kamailio/README.md, "TLS").
    beforeEach(async () => {
      const why = await asking.died()
      if (why === undefined) return
      console.warn(`${what} that speaks ${newest} died and is started again: ${why}`)
      await ask()
    })
    afterAll(() => asking.close())

    if (places().bearsTwo)
      test('two handshakes at the same time, again and again, do it no harm', async () => {
        const client = { ca: ours.certificate, client: good }
        const expired = { ca: ours.certificate, client: clientOf(ours, past) }
        for (let nth = 0; nth < 30; nth += 1)
          for (const tls of [client, expired]) {
            const two = [
              await ways.directly(asking.url, held(tls)),
              await ways.directly(asking.url, held(tls)),
            ]
            await Promise.all(two.map(post))
          }
        expect(await post(await ways.directly(asking.url, held(client)))).toMatchObject({ status: 200 })
        expect(await asking.died()).toBeUndefined()
      })

    describe.each(Object.entries(ways))('%s', (_way, way) => {
      test('each side shows a certificate of our CA: requests share connections, and what was cut is made again', async () => {
        const path = await counted(asking.url)
        const transport = await way(path.url, held({ ca: ours.certificate, client: good }))
        for (let nth = 0; nth < 20; nth += 1) expect(await post(transport)).toMatchObject({ status: 200 })
        const before = path.connections()
        // A pool may open another before the first is free again.
        expect(before).toBeLessThanOrEqual(2)
        path.cut()
        await vi.waitFor(async () => expect(await post(transport)).toMatchObject({ status: 200 }))
        expect(path.connections()).toBeGreaterThan(before)
      })

      test.each(mistrusted)('%s is named, and nothing is executed', async (_what, tls, said) => {
        const refused = tls.client !== undefined && tls.ca === ours.certificate
        const untold = refused && !places().saysWhy
        const source = held(tls)
        const outcome = await post(await way(asking.url, source))
        expect(outcome).toMatchObject(
          untold ? { failure: 'broken' } : { failure: 'untrusted', why: expect.stringMatching(said) },
        )
        expect(source.refreshed()).toBe(untold ? 0 : 1)
        expectNothingOf(tls, outcome)
      })

      test('what was rotated is read once more, and the request arrives after all', async () => {
        const old = { ca: theirs.certificate, client: good }
        const expired = { ca: ours.certificate, client: clientOf(ours, past) }
        for (const before of some(places().saysWhy ? [old, expired] : [old])) {
          const source = held(before, { ca: ours.certificate, client: good })
          const transport = await way(asking.url, source)
          const first = places().bearsTwo ? [post(transport), post(transport)] : [post(transport)]
          for (const outcome of some(await Promise.all(first))) expect(outcome).toMatchObject({ status: 200 })
          expect(await post(transport)).toMatchObject({ status: 200 })
          expect(source.refreshed()).toBeLessThanOrEqual(2)
        }
      })

      test.each([
        ['has expired', () => identity(past), /the edge's certificate, .*has expired: renew it on the edge/],
        [
          'names another host',
          () => identity(undefined, '127.0.1.250'),
          /names another host than 127\.0\.1\.\d+: /,
        ],
      ])("an edge's certificate that %s is refused", async (_what, shown, said) => {
        const edge = await edgeOf({ identity: shown() })
        onTestFinished(() => edge.close())
        const tls = { ca: ours.certificate }
        const outcome = await post(await way(edge.url, held(tls)))
        expect(outcome).toMatchObject({ failure: 'untrusted', why: expect.stringMatching(said) })
      })

      test('where the edge asks for no certificate a CA is enough, and one that we show does no harm', async () => {
        const edge = await edgeOf({ identity: identity() })
        onTestFinished(() => edge.close())
        for (const tls of [{ ca: ours.certificate }, { ca: ours.certificate, client: good }])
          expect(await post(await way(edge.url, held(tls)))).toMatchObject({ status: 200 })
      })
    })

    test('an edge with a CA of its own is named where no CA is configured', async () => {
      const edge = await edgeOf({ identity: identity() })
      onTestFinished(() => edge.close())
      const transport = kept(createHttpTransport({ url: edge.url, timeoutMs: 5000 }))
      const why = /signed by no CA that is known here: name its CA with edgeTls\.caParameter/
      expect(await post(transport)).toMatchObject({
        failure: 'untrusted',
        why: expect.stringMatching(why),
      })
    })
  })
}

/** No line of any PEM that we hold, in whatever form it is shown. */
export function expectNothingOf(tls: EdgeTls, shown: unknown): void {
  const text = `${inspect(shown, { depth: 20, showHidden: true })}${JSON.stringify(shown)}`
  const pems = [tls.ca, ...(tls.client ? [tls.client.certificate, tls.client.key] : [])].join('\n')
  for (const line of some(pems.split('\n').filter((each) => /^[A-Za-z0-9+/=]{20,}$/.test(each))))
    expect(text).not.toContain(line)
}

/** Stands in front of an edge, at the same address, and counts connections. It ends with the test. */
async function counted(url: string) {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let connections = 0
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server = createServer((client) => {
    connections += 1
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) keep(socket)
    client.pipe(upstream).pipe(client)
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const own = await freePort(hostname)
  await new Promise<void>((resolve) => server.listen(own, hostname, resolve))
  onTestFinished(() => {
    server.close()
    cut()
  })
  return { url: `https://${hostname}:${own}/rpc`, connections: () => connections, cut }
}
