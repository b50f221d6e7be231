import { type Drain, drainId } from '../../functions/control/drain.ts'
import type { Ports } from '../../functions/ports/ports.ts'
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
  const named = (drain: Drain, id: string): Drain =>
    drain.action ? { ...drain, hold: { ...drain.hold, id } } : { ...drain, hold: { ...drain.hold, id } }
  const methods = Object.fromEntries(
    Object.keys(store).map((name) => [name, Reflect.get(store, name)]),
  ) as Store
  const putDrain = (drain: Drain) => {
    const id = drainId(drain)
    written.add(id)
    return store.putDrain(named(drain, keyOf(id).slice(drain.hold.source.length + 1)))
  }
  return {
    ...methods,
    async drain(id) {
      const drain = await store.drain(keyOf(id))
      return drain && named(drain, id.slice(drain.hold.source.length + 1))
    },
    putDrain,
    async beginDrain(drain) {
      const { source, id, subject, order } = drain.hold
      const hold = await store.hold(source, id, subject)
      return hold && !hold.lifted && hold.order === order ? putDrain(drain) : 'conflict'
    },
    drainIds: () => [...written],
    lose(drainId) {
      lost.set(drainId, (lost.get(drainId) ?? 0) + 1)
    },
  }
}
