import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../use-cases/ports.ts'

/** The machine's clock. */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: async (ms) => {
      await sleep(ms)
    },
  }
}
