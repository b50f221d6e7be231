import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { type DestinationUri, destinationUri } from '../functions/control/destination.ts'
import type { Hold } from '../functions/control/hold.ts'
import { settleFleet } from '../functions/fleet/settle-fleet.ts'
import { createEdge, type KamailioEdge } from '../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../functions/kamailio/http-transport.ts'
import { MemoryEdge } from '../test/memory/edge.ts'
import { createMemoryFleet } from '../test/memory/fleet.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { countedStore, noUnits } from './counted-store.ts'
import { sharedStore } from './shared-store.ts'

/**
 * How long a drain takes until every edge is disabled and read back, against the very same HTTP requests sent
 * by themselves: each edge's in their order, all edges at once.
 */

const listed = 1000
const timeoutMs = 10_000
const clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: async (ms: number) => void (await sleep(Math.max(0, ms))),
}

interface Sent {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

interface Served {
  readonly server: Server
  readonly url: string
  readonly sent: Sent[]
  readonly kamailio: MemoryEdge
}

const uriOf = (n: number) => `sip:10.0.${n >> 8}.${n & 255}:5060`

/** A Kamailio in memory behind HTTP that answers after a while. */
async function serve(id: string, rttMs: number): Promise<Served> {
  const file = Array.from({ length: listed }, (_, n) => ({ set: 1, uri: uriOf(n), flags: 'AP' as const }))
  const memoryClock = { now: () => Math.floor(clock.now()), sleep: clock.sleep }
  const kamailio = new MemoryEdge({
    ...{ id, file, bootedAt: Math.floor(clock.now()) - 86_400_000 },
    clock: memoryClock,
  })
  kamailio.misbehaviour = { latencyMs: rttMs }
  const sent: Sent[] = []
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const given = request.headers['x-dc-generation']
    const generation = typeof given === 'string' ? { generation: Number(given) } : {}
    sent.push({ body, headers: typeof given === 'string' ? { 'x-dc-generation': given } : {} })
    const reply = await kamailio.transport.post({
      ...{ body, secret: undefined, limit: 2 ** 24, signal: AbortSignal.timeout(timeoutMs) },
      ...generation,
    })
    if ('failure' in reply) return void response.destroy()
    response.writeHead(reply.status, reply.boot === undefined ? {} : { 'x-dc-boot': reply.boot })
    response.end(reply.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { server, url: `http://127.0.0.1:${port}`, sent, kamailio }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

function holdOf(n: number): Hold {
  const uri = destinationUri(uriOf(n)) as DestinationUri
  return {
    ...{ source: 'operator', id: uri, subject: { kind: 'uri', uri }, uris: [uri] },
    addresses: [`10.0.${n >> 8}.${n & 255}`],
    ...{ wholeInstance: false, who: 'bench', why: 'bench', placedAt: 0, order: '0' },
  }
}

/** @returns ms until every edge's reading with the hold is stored */
async function drains(edges: readonly KamailioEdge[], served: readonly Served[], times: number) {
  const seen = new Map<string, number>()
  let wanted = 0
  const memory = memoryPorts({ fleet: createMemoryFleet(edges) })
  const store = countedStore(
    sharedStore(memory.store, (reading) => {
      if (reading.wanted >= wanted && !seen.has(reading.edge)) seen.set(reading.edge, performance.now())
    }),
    noUnits(),
  )
  const ports = { ...memory, clock, store }
  const [took, asked]: [number[], Sent[][][]] = [[], []]
  await settleFleet(ports)
  for (let n = 0; n < times; n += 1) {
    seen.clear()
    for (const each of served) each.sent.length = 0
    await store.putHold(holdOf(n))
    wanted = await store.raiseWanted()
    const began = performance.now()
    const settling = settleFleet(ports)
    while (seen.size < edges.length) await sleep(1)
    // What belongs to the second reading is sent later.
    asked.push(served.map(({ sent }) => [...sent]))
    took.push(Math.max(...seen.values()) - began)
    await settling
  }
  return { took, asked }
}

/** The same requests, by themselves. They write what is written already, and are answered alike. */
async function replay(served: readonly Served[], asked: readonly (readonly Sent[])[]): Promise<number> {
  const began = performance.now()
  await Promise.all(
    served.map(async ({ url }, index) => {
      for (const { body } of asked[index] ?? [])
        await (await fetch(url, { method: 'POST', body, headers: { 'x-dc-generation': '999999' } })).text()
    }),
  )
  return performance.now() - began
}

async function main(options: { json?: boolean; edges: string; rtt: string; times: string }): Promise<void> {
  const [count, rttMs, times] = [Number(options.edges), Number(options.rtt), Number(options.times)]
  const served = await Promise.all(Array.from({ length: count }, (_, n) => serve(`edge-${n}`, rttMs)))
  const edges = served.map(({ url, kamailio }) =>
    createEdge({
      ...{ id: kamailio.id, restoresDialogs: false, timeoutMs, now: () => clock.now() },
      transport: createHttpTransport({ url, timeoutMs }),
    }),
  )
  const { took, asked } = await drains(edges, served, times)
  const bare: number[] = []
  for (const each of asked) bare.push(await replay(served, each))
  await Promise.all(edges.map((edge) => edge.close()))
  for (const { server } of served) server.close()
  // Other work on the machine only adds.
  const [drainMs, bareMs] = [Math.min(...took), Math.min(...bare)]
  const result = {
    ...{ edges: count, rttMs, requestsPerEdge: asked.at(-1)?.[0]?.length ?? 0 },
    drainMs: Math.round(drainMs),
    bareMs: Math.round(bareMs),
    ratio: Math.round((drainMs / bareMs) * 100) / 100,
  }
  if (options.json) console.log(JSON.stringify(result))
  else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)}${value}`)
}

await new Command('drain-over-edges')
  .description('time until a drain is read back on every edge, against the same requests sent by themselves')
  .option('--json', 'one line of JSON instead of a table')
  .option('--edges <n>', 'Kamailios in memory behind HTTP', '10')
  .option('--rtt <ms>', 'after which they answer', '20')
  .option('--times <n>', 'drains, after each other', '9')
  .action(main)
  .parseAsync()
