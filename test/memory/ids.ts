import type { Ids } from '../../functions/use-cases/ports.ts'

/** `id-1`, `id-2`, … */
export function createMemoryIds(): Ids {
  let last = 0
  return {
    next: () => {
      last += 1
      return `id-${last}`
    },
  }
}
