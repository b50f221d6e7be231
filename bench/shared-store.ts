import type { Listing, Reading } from '../functions/control/reading.ts'
import type { Store } from '../functions/ports/store.ts'

/** Told of each reading as it is stored. */
export type OnReading = (reading: Reading) => void

/**
 * The same store; readings and lists are shared, not copied: of a big fleet they are megabytes, and read ten
 * thousand times.
 */
export function sharedStore(store: Store, onReading: OnReading): Store {
  const readings = new Map<string, Reading>()
  const listings = new Map<string, Listing>()
  return {
    ...store,
    reading: async (edge) => readings.get(edge),
    listing: async (edge) => listings.get(edge),
    async putReading(generation, { head, reading, listing }) {
      const written = await store.putReading(generation, { head })
      if (written === 'lost') return written
      if (listing) listings.set(head.edge, listing)
      if (reading) {
        readings.set(head.edge, reading)
        onReading(reading)
      }
      return written
    },
  }
}
