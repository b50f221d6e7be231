import type { Clock } from '../../functions/ports/clock.ts'

export interface MemoryClock extends Clock {
  /** Moves time on; what is due on the way happens at its own time, in order. */
  advance(ms: number): Promise<void>
  /** Does something once time has come to `at`; it does not make time pass. */
  at(at: number, action: () => void): void
}

interface Due {
  readonly at: number
  readonly drives: boolean
  readonly act: () => void
}

/**
 * A virtual clock: a sleeper is woken at its own time, earliest first, as soon as nothing else can run; no
 * real time passes. Two that sleep at once share the time, as in the world.
 */
export function createMemoryClock(start = Date.UTC(2026, 10, 22, 20)): MemoryClock {
  let now = start
  let scheduled = false
  const due: Due[] = []

  function add(entry: Due): void {
    let [from, to] = [0, due.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((due[middle]?.at ?? 0) > entry.at) to = middle
      else from = middle + 1
    }
    due.splice(from, 0, entry)
  }
  function step(): boolean {
    const next = due.shift()
    if (!next) return false
    now = Math.max(now, next.at)
    next.act()
    return next.drives
  }
  function drive(): void {
    if (scheduled || !due.some((entry) => entry.drives)) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      while (due.length > 0 && !step());
      drive()
    })
  }
  const quiet = () => new Promise<void>((resolve) => setImmediate(resolve))

  return {
    // Whole, as the real clock's: what is stored is as long as there.
    now: () => Math.floor(now),
    sleep(ms) {
      return new Promise((resolve) => {
        add({ at: now + ms, drives: true, act: resolve })
        drive()
      })
    },
    async advance(ms) {
      const end = now + ms
      for (let next = due[0]; next && next.at <= end; next = due[0]) {
        step()
        await quiet()
      }
      now = Math.max(now, end)
    },
    at(at, action) {
      add({ at, drives: false, act: action })
    },
  }
}
