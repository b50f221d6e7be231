import { parseAlarmMessage } from '../functions/contracts/alarm.ts'
import { holdKey } from '../functions/control/hold.ts'
import type { InstanceFacts } from '../functions/control/instance-life.ts'
import { handleAlarm } from '../functions/intake/handle-alarm.ts'
import type { Store } from '../functions/ports/store.ts'
import { message } from '../test/contracts/event-files.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { aHead, aListing, aReading, uri } from '../test/port-contracts/store-samples.ts'

/** As many messages as Lambda takes from the queue at once, and how long DynamoDB takes for a request. */
const atOnce = 25
const requestMs = 5

export interface Storm {
  /** virtual ones: no processor's time is in them */
  readonly seconds: number
  readonly begun: number
  readonly waiting: number
  readonly published: number
  /** messages that failed and came again */
  readonly again: number
  /** requests to the store, by its method */
  readonly requests: Readonly<Record<string, number>>
  /** rows of what waits that were read */
  readonly waitingRead: number
}

/** An alarm for each server of a group, all at once, under a floor of so many: through the real intake. */
export async function alarmStorm(servers: number, floor: number): Promise<Storm> {
  const all = Array.from({ length: servers }, (_, n) => n)
  const memory = memoryPorts({
    config: {
      alarms: all.map((n) => ({ name: `cpu-${n}` })),
      clearance: { floors: [{ set: 1, count: floor }] },
    },
  })
  for (const n of all) memory.instances.put(machine(n))
  await listAll(memory, all.map(machine))
  const counted = counting(memory)
  const ports = { ...memory, store: counted.store }
  const startedAt = ports.clock.now()
  const queue = all.map((n) => {
    const timestamp = new Date(startedAt + n).toISOString().replace('Z', '+0000')
    const resources = [`arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-${n}`]
    return { alarmName: `cpu-${n}`, resources, InstanceId: machine(n).instanceId, timestamp }
  })
  let again = 0
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        await handleAlarm(ports, parseAlarmMessage(message('alarm-metric-alarm', next)))
      } catch {
        again += 1
        queue.push(next)
        await ports.clock.sleep(1000)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const { drains } = await memory.store.waiting()
  const published = new Set(memory.events.of('Drain Waiting').map(({ drainId }) => drainId))
  return {
    seconds: (ports.clock.now() - startedAt) / 1000,
    begun: (await memory.store.holds()).length,
    waiting: drains.length,
    published: drains.filter(({ hold }) => published.has(holdKey(hold))).length,
    again,
    requests: Object.fromEntries(counted.requests),
    waitingRead: counted.waitingRead(),
  }
}

function machine(n: number): InstanceFacts {
  return {
    ...{ instanceId: `i-${String(n).padStart(17, '0')}`, launchedAt: 1, state: 'running', group: 'media' },
    ...{ addresses: [`10.1.${n >> 8}.${n & 255}`], taggedDestinations: [] },
  }
}

async function listAll({ store, clock }: ReturnType<typeof memoryPorts>, machines: readonly InstanceFacts[]) {
  const generation = (await store.takeEdge('edge-a', 'a', 0, 1)) ?? 0
  const { unreadable: _, removedAt: _removedAt, ...head } = aHead('edge-a', { askedAt: clock.now() })
  const listed = machines.map(({ addresses: [address = ''] }) => ({
    ...{ set: 1, uri: uri(`sip:${address}:5060`), address },
    flags: 'AP' as const,
  }))
  await store.putReading(generation, {
    head,
    reading: aReading('edge-a', { askedAt: clock.now() }),
    listing: aListing('edge-a', { listed }),
  })
}

function counting({ store, clock }: ReturnType<typeof memoryPorts>) {
  const requests = new Map<string, number>()
  let waitingRead = 0
  const counted = new Proxy(store, {
    get(target, name: keyof Store) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...given: unknown[]) => {
        requests.set(name, (requests.get(name) ?? 0) + 1)
        await clock.sleep(requestMs)
        const answer: unknown = await Reflect.apply(method, target, given)
        if (name === 'waiting') waitingRead += (await store.waiting()).drains.length
        if (name === 'waitingFor' && answer) waitingRead += 1
        return answer
      }
    },
  })
  return { store: counted, requests, waitingRead: () => waitingRead }
}

if (import.meta.main) {
  const began = performance.now()
  const [servers = 1000, floor = 900] = process.argv.slice(2).map(Number)
  console.log(await alarmStorm(servers, floor))
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s of this machine's time`)
}
