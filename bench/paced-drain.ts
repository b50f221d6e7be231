import { nextWait, type Pace } from '../functions/control/pace.ts'
import { Draws } from '../test/simulation/random.ts'

/** Drains on a virtual clock, looked at as a pace says: no edges and no store, calls that only end. Times are seconds since the drain began. */

const timers: Pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 10 }

/**
 * How long each call of a server lasts from the drain's begin on. `lognormal`, `exponential`, `fixed`: its whole duration, as if it had begun
 * with the drain. `lognormal, under way`: what is left of it at a random moment of its life, longer calls met more often. `fixed, under way`:
 * the same of calls of one length. `together`: all of them end at one random moment, as a conference does. Lognormal ones have a deviation as large as
 * their mean (sigma 0.83).
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
  readonly heartbeatSeconds: number
}

/** `age`: waits as they were, by the drain's age alone. `waking`: settle finds that the last call is over, and wakes the drain. */
export type By = 'age' | 'waking'

export interface Seen {
  /** of a drain, the one that confirms the zero among them */
  readonly looks: number
  /** from the end of the last call to the answer, by half and by 95 in 100 of the drains */
  readonly p50: number
  readonly p95: number
}

/** The same drains for each pace: a case draws the same calls whatever looks at them. */
export function drains(one: Case, by: By, howMany: number): Seen {
  const { lasting: kind, meanSeconds, calls } = one
  const draws = new Draws(`${kind} ${meanSeconds} ${calls}`)
  const draw = (): number[] => {
    const first = lasting[kind](meanSeconds, draws)
    return kind === 'together'
      ? [...Array(calls)].fill(first)
      : [first, ...Array.from({ length: calls - 1 }, () => lasting[kind](meanSeconds, draws))]
  }
  const seen = Array.from({ length: howMany }, () => {
    const ends = draw()
    return drain(ends, by, one.heartbeatSeconds, uniform(draws) * passEverySeconds)
  })
  const late = seen.map(({ lateBy }) => lateBy).sort((a, b) => a - b)
  const atShare = (share: number) => late[Math.min(howMany - 1, Math.floor(share * howMany))] ?? Number.NaN
  return {
    looks: seen.reduce((sum, { looks }) => sum + looks, 0) / howMany,
    p50: atShare(0.5),
    p95: atShare(0.95),
  }
}

/** functions/use-cases/handle-settle.ts */
const passEverySeconds = 20
/** A pass reads the edge, wakes the drain, and its execution begins: an input, not measured. */
const passTakesSeconds = 2

interface Drained {
  readonly looks: number
  readonly lateBy: number
}

/**
 * Looks follow the begin after the shortest wait; the first that finds none is confirmed by one after the fail-over window.
 * @param phase when the first pass of settle after the begin is
 */
function drain(ends: readonly number[], by: By, heartbeatSeconds: number, phase: number): Drained {
  const wait = (more: Partial<Parameters<typeof nextWait>[0]>) =>
    nextWait({ ageMs: at * 1000, heartbeatSeconds, ...more }, timers)
  const last = Math.max(...ends)
  const passAt = phase + Math.max(0, Math.ceil((last - phase) / passEverySeconds)) * passEverySeconds
  const wokenAt = by === 'waking' ? passAt + passTakesSeconds : Number.POSITIVE_INFINITY
  let at = 0
  at += wait({ shortest: true })
  for (let looks = 1; ; looks++) {
    if (by === 'age' ? at >= last : at >= wokenAt) {
      const confirmed = confirm(at, () => wait({ zeroPending: true }))
      return { looks: looks + confirmed.looks, lateBy: confirmed.at - last }
    }
    at = Math.min(wokenAt, at + wait({ callsUp: by === 'waking' }))
  }
}

/** Looks until the window of 10 s and the clocks' difference of 2 s are over. */
function confirm(zeroAt: number, wait: () => number): { readonly at: number; readonly looks: number } {
  let at = zeroAt
  let looks = 0
  while (at - zeroAt < timers.failoverWindowSeconds + 2) {
    at += wait()
    looks++
  }
  return { at, looks }
}
