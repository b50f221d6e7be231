import type { Ids } from '../../functions/ports/ids.ts'

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
