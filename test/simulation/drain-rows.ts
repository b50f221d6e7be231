import type { Ports } from '../../functions/use-cases/ports.ts'
import { createMemoryStore } from '../memory/store.ts'

type Store = Ports['store']

/** The store in memory, from whose table a drain's row can get lost: the next one of its id is a new row. */
export interface LosingStore extends Store {
  lose(drainId: string): void
  /** of every drain that was ever written */
  drainIds(): readonly string[]
}

export function createLosingStore(): LosingStore {
  const store: Store = createMemoryStore()
  const written = new Set<string>()
  const lost = new Map<string, number>()
  const keyOf = (id: string) => (lost.has(id) ? `${id}~${lost.get(id)}` : id)
  const methods = Object.fromEntries(
    Object.keys(store).map((name) => [name, Reflect.get(store, name)]),
  ) as Store
  return {
    ...methods,
    async drain(id) {
      const record = await store.drain(keyOf(id))
      return record && { ...record, id }
    },
    putDrain: (record) => {
      written.add(record.id)
      return store.putDrain({ ...record, id: keyOf(record.id) })
    },
    drainIds: () => [...written],
    lose(drainId) {
      lost.set(drainId, (lost.get(drainId) ?? 0) + 1)
    },
  }
}
