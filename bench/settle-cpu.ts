import { packed, unpacked } from '../functions/aws/packed.ts'
import { readingRow } from '../functions/aws/reading-rows.ts'
import { controlConfig } from '../functions/contracts/config.ts'
import type { RpcTransport } from '../functions/contracts/rpc.ts'
import { destinationUri } from '../functions/control/destination.ts'
import { readable } from '../functions/control/reading.ts'
import { settleFleet } from '../functions/fleet/settle-fleet.ts'
import { createEdge } from '../functions/kamailio/dispatcher.ts'
import { createMemoryClock } from '../test/memory/clock.ts'
import { MemoryEdge } from '../test/memory/edge.ts'
import { createMemoryFleet } from '../test/memory/fleet.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { countedStore, noUnits } from './counted-store.ts'

/**
 * The processor time that settle takes for each kilobyte which an edge answers, packing what it stores
 * included, and anybody for each packed kilobyte of a reading: `node bench/settle-cpu.ts`. bench/limits.ts
 * charges it at full size. One edge with 1,000 destinations, 500 of them held, is settled again and again;
 * what the edge in memory takes itself is left out.
 */

const minute = 60_000
const rounds = { warm: 10, measured: 40 } as const

interface SettleCpu {
  readonly msPerAnswerKilobyte: number
  readonly msPerPackedKilobyte: number
}

async function settleCpu(): Promise<SettleCpu> {
  const clock = createMemoryClock()
  const uris = Array.from({ length: 1000 }, (_, n) =>
    destinationUri(`sip:10.0.${n >> 8}.${n & 255}:5060`),
  ).filter((uri) => uri !== undefined)
  const file = uris.map((uri) => ({ set: 1, uri, flags: 'AP' as const }))
  const kamailio = new MemoryEdge({ id: 'edge-a', clock, file, bootedAt: clock.now() - 24 * 60 * minute })
  let [itsOwnMs, bytes] = [0, 0]
  const transport: RpcTransport = {
    post(message) {
      const began = performance.now()
      const answered = kamailio.transport.post(message)
      itsOwnMs += performance.now() - began
      return answered.then((outcome) => {
        if ('body' in outcome) bytes += Buffer.byteLength(outcome.body)
        return outcome
      })
    },
    close: () => kamailio.transport.close(),
  }
  const edge = createEdge({
    ...{ id: kamailio.id, restoresDialogs: false, transport, timeoutMs: 2 ** 31 - 1 },
    now: () => clock.now(),
  })
  const config = controlConfig.parse({
    groups: [],
    timers: { failoverWindowSeconds: 7, longestCallSeconds: 14_400 },
  })
  const memory = memoryPorts({ clock, fleet: createMemoryFleet([edge]) })
  // What is stored is packed.
  const ports = { ...memory, store: countedStore(memory.store, noUnits()), config }
  for (const uri of uris.slice(0, 500))
    await ports.store.putHold({
      ...{ source: 'operator', id: uri, subject: { kind: 'uri', uri }, uris: [uri], addresses: [] },
      ...{ wholeInstance: false, who: 'bench', why: 'bench', placedAt: 0, order: '0' },
    })
  const round = async () => {
    await clock.sleep(minute)
    kamailio.forgetRequests()
    await settleFleet(ports, { notBefore: clock.now() })
  }
  for (let n = 0; n < rounds.warm; n += 1) await round()
  ;[itsOwnMs, bytes] = [0, 0]
  const began = process.cpuUsage()
  for (let n = 0; n < rounds.measured; n += 1) await round()
  const settling = process.cpuUsage(began)
  const row = packed(readable(await memory.store.reading(kamailio.id)))
  const unpackedAt = process.cpuUsage()
  for (let n = 0; n < rounds.measured; n += 1) unpacked(readingRow, row, 'READING')
  const unpacking = process.cpuUsage(unpackedAt)
  return {
    msPerAnswerKilobyte: (milliseconds(settling) - itsOwnMs) / (bytes / 1000),
    msPerPackedKilobyte: milliseconds(unpacking) / rounds.measured / (row.brotli.length / 1000),
  }
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000
}

if (import.meta.main) {
  const { msPerAnswerKilobyte, msPerPackedKilobyte } = await settleCpu()
  process.stdout.write(
    `settle, for each KB that an edge answers: ${msPerAnswerKilobyte.toFixed(2)} ms of processor time\n` +
      `a reading, unpacked, for each packed KB: ${msPerPackedKilobyte.toFixed(2)} ms\n`,
  )
}
