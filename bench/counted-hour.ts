import { type Kind, unitsOf } from './counted-store.ts'
import { createFleetWorld, type FleetWorld, minute, second } from './fleet-world.ts'

export interface Hour {
  readonly edges: number
  readonly servers: number
  /** drains that begin within the hour, evenly */
  readonly drains: number
  /** how long the last call of each server still lasts */
  readonly callMinutes: number
}

/** What an hour of drains, followed to the end of the last one, asks of AWS and of the edges. */
export interface Counts {
  readonly messages: number
  /** invocations of the workflow's functions */
  readonly steps: number
  /** calls of the reconciler and of the sweep, one each minute */
  readonly ticks: number
  /** invocations of the settle function, and the seconds that they take */
  readonly settles: number
  readonly settleSeconds: number
  readonly stepSeconds: number
  readonly transitions: number
  readonly events: number
  /** HTTP requests to all edges together */
  readonly edgeRequests: number
  /** DynamoDB's request units, strongly consistent and transactional ones as they are billed */
  readonly reads: number
  readonly writes: number
  /** of readings and lists, as they are stored, that were written and read */
  readonly readingBytes: number
  /** of what edges answered */
  readonly answerBytes: number
}

const stepFunctions = ['look', 'complete-drain', 'retire-drain']

/**
 * Each server has a call on one of the edges, in turn; its lifecycle action is completed when that is over,
 * and a minute later EC2 shows that it is terminated.
 */
export async function countHour(hour: Hour): Promise<Counts> {
  const world = await createFleetWorld({ ...hour, latencyMs: 20, requestsPerSecond: 5000 })
  await Promise.all(Array.from({ length: hour.drains }, (_, n) => drain(world, hour, n)))
  await world.end()
  const { pool, counts, units, throttle, memory } = world
  const steps = stepFunctions.map((name) => pool.use(name))
  return {
    ...counts,
    steps: steps.reduce((sum, { invocations }) => sum + invocations, 0),
    stepSeconds: steps.reduce((sum, { seconds }) => sum + seconds, 0),
    settles: pool.use('settle').invocations,
    settleSeconds: pool.use('settle').seconds,
    events: memory.events.published.length,
    edgeRequests: throttle.passed,
    reads: unitsOf(units.reads),
    writes: unitsOf(units.writes),
    readingBytes: bytesOf(units.reads) + bytesOf(units.writes),
    answerBytes: throttle.answeredBytes,
  }
}

function bytesOf(kinds: ReadonlyMap<string, Kind>): number {
  return ['reading', 'listing', 'putReading'].reduce((sum, name) => sum + (kinds.get(name)?.bytes ?? 0), 0)
}

async function drain(world: FleetWorld, hour: Hour, n: number): Promise<void> {
  const { clock, hosts } = world
  await clock.sleep((n * 60 * minute) / hour.drains)
  const edge = world.edge(n)
  const call = edge.callTo(`sip:${hosts[n % hosts.length]}:5060`)
  await world.scaleIn(n)
  await clock.sleep(hour.callMinutes * minute)
  edge.hangUp(call)
  while ((await world.drainOf(n))?.phase.name !== 'ended') await clock.sleep(5 * second)
  await clock.sleep(minute)
  await world.terminated(n)
}
