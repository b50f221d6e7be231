import type { Hold } from '../control/hold.ts'
import type { EdgePorts } from '../ports/ports.ts'

/** What is wanted as one run knows it: the counter, and the holds that were read after it. */
export interface WantedHolds {
  /** The counter now, with all holds of it. */
  now(): Promise<{ readonly wanted: number; readonly holds: readonly Hold[] }>
}

/** The holds are read once for each value of the counter, for all edges. */
export function rememberingWantedHolds({ store }: Pick<EdgePorts, 'store'>): WantedHolds {
  let last: { readonly wanted: number; readonly holds: Promise<readonly Hold[]> } | undefined
  return {
    async now() {
      const wanted = await store.wanted()
      if (last?.wanted !== wanted) last = { wanted, holds: store.holds() }
      try {
        return { wanted, holds: await last.holds }
      } catch (error) {
        last = undefined
        throw error
      }
    },
  }
}
