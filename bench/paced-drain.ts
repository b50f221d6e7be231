import { nextWait, type Pace, type Wait } from '../functions/control/pace.ts'
import { Draws } from '../test/simulation/random.ts'
import { createFleetWorld, second } from './fleet-world.ts'

/** Drains on a virtual clock, and what looks at them. Times are seconds since the drain began. */

const timers: Pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 10 }

/**
 * How long each call of a server lasts from the drain's begin on. `lognormal`, `exponential`, `fixed`: its
 * whole duration, as if it had begun with the drain. `lognormal, under way`: what is left of it at a random
 * moment of its life, longer calls met more often. `fixed, under way`: the same of calls of one length.
 * `together`: all of them end at one random moment, as a conference does. Lognormal ones have a deviation as
 * large as their mean (sigma 0.83).
 */
export const lasting = {
  lognormal: (mean, draws) => lognormal(mean, -sigma2 / 2, draws),
  'lognormal, under way': (mean, draws) => uniform(draws) * lognormal(mean, sigma2 / 2, draws),
  exponential: (mean, draws) => -mean * Math.log(uniform(draws)),
  fixed: (mean) => mean,
  'fixed, under way': (mean, draws) => mean * uniform(draws),
  together: (mean, draws) => -mean * Math.log(uniform(draws)),
} as const satisfies Record<string, (mean: number, draws: Draws) => number>

const sigma2 = Math.log(2)

function uniform(draws: Draws): number {
  return (draws.int(0, 2 ** 32 - 1) + 0.5) / 2 ** 32
}

function lognormal(scale: number, mu: number, draws: Draws): number {
  const normal = Math.sqrt(-2 * Math.log(uniform(draws))) * Math.cos(2 * Math.PI * uniform(draws))
  return scale * Math.exp(mu + Math.sqrt(sigma2) * normal)
}

export interface Case {
  readonly lasting: keyof typeof lasting
  readonly meanSeconds: number
  readonly calls: number
}

export interface Seen {
  /** of a drain, the one that confirms the zero among them */
  readonly looks: number
  /** from the end of the last call to the answer, by half and by 95 in 100 of the drains */
  readonly p50: number
  readonly p95: number
}

/** When the calls of each drain end, in seconds since it began: the same for each way of looking. */
function drawn({ lasting: kind, meanSeconds, calls }: Case, howMany: number): number[][] {
  const draws = new Draws(`${kind} ${meanSeconds} ${calls}`)
  return Array.from({ length: howMany }, () => {
    const first = lasting[kind](meanSeconds, draws)
    if (kind === 'together') return [...Array(calls)].fill(first)
    return [first, ...Array.from({ length: calls - 1 }, () => lasting[kind](meanSeconds, draws))]
  })
}

function seenOf(looks: number, lateBy: readonly number[]): Seen {
  const late = lateBy.toSorted((a, b) => a - b)
  const atShare = (share: number) =>
    late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? Number.NaN
  return { looks: looks / late.length, p50: atShare(0.5), p95: atShare(0.95) }
}

/** As it was: waits by the drain's age alone, of drains that have nothing but calls. */
export function byAge(one: Case, howMany: number): Seen {
  const seen = drawn(one, howMany).map((ends) => lookedAtByAge(Math.max(...ends)))
  return seenOf(
    seen.reduce((sum, { looks }) => sum + looks, 0),
    seen.map(({ lateBy }) => lateBy),
  )
}

/**
 * Looks follow the begin after the shortest wait; the first that finds none is confirmed by those after it.
 */
function lookedAtByAge(last: number): { readonly looks: number; readonly lateBy: number } {
  const wait = (waits: Wait) => nextWait(waits, at * 1000, undefined, timers)
  let at = 0
  let looks = 1
  for (at += wait('shortest'); at < last; looks += 1) at += wait('paced')
  const zeroAt = at
  for (; at - zeroAt < timers.failoverWindowSeconds + 2; looks += 1) at += wait('confirm')
  return { looks, lateBy: at - last }
}

/** As it is: the deployed workflow and use cases in memory, with settle's schedule, a drain every 7 s. */
export async function woken(one: Case, howMany: number): Promise<Seen> {
  const { failoverWindowSeconds } = timers
  const world = await createFleetWorld({
    ...{ edges: 2, servers: howMany, latencyMs: 20, requestsPerSecond: 5000, failoverWindowSeconds },
  })
  const { clock, hosts, memory, pool } = world
  const drain = async (ends: readonly number[], n: number) => {
    await clock.sleep(n * 7 * second)
    const began = clock.now()
    for (const [index, end] of ends.entries()) {
      const edge = world.edge(index)
      const call = edge.callTo(`sip:${hosts[n]}:5060`)
      clock.at(began + end * second, () => edge.hangUp(call))
    }
    const instanceId = await world.scaleIn(n)
    while ((await world.drainOf(n))?.phase.name !== 'ended') await clock.sleep(1 * second)
    const ended = memory.lifecycleActions.ended().find((action) => action.instanceId === instanceId)
    return ((ended?.at ?? Number.NaN) - began) / second - Math.max(...ends)
  }
  const lateBy = await Promise.all(drawn(one, howMany).map(drain))
  await Promise.all(hosts.map((_, n) => world.terminated(n)))
  await world.end()
  return seenOf(pool.use('look').invocations, lateBy)
}
