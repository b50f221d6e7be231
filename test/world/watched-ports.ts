import type { Edge } from '../../functions/ports/edge.ts'
import type { EdgePorts, SweepPorts } from '../../functions/ports/ports.ts'

/**
 * Told of each call of a port's method, e.g. `store.putDrain` or `edge.list`; what it throws is what the
 * caller gets.
 */
export interface Watch {
  before?(method: string): void
  after?(method: string): void
}

const plain = new Set(['config', 'clock', 'ids', 'metrics'])

/** The same ports with a watch on each asynchronous method, also of every edge. */
export function watched(ports: SweepPorts & EdgePorts, watch: Watch): SweepPorts & EdgePorts {
  const wrapped = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [
      name,
      plain.has(name) ? port : watchedPort(name, port, watch),
    ]),
  )
  const fleet = {
    edges: async () => {
      watch.before?.('fleet.edges')
      const edges = await ports.fleet.edges()
      watch.after?.('fleet.edges')
      return edges.map((edge) => watchedPort<Edge>('edge', edge, watch))
    },
    reread: () => ports.fleet.reread(),
  }
  return { ...ports, ...wrapped, fleet }
}

function watchedPort<P extends object>(name: string, port: P, watch: Watch): P {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      // It asks nobody: the same edge under a lease, watched as well.
      if (name === 'edge' && key === 'under')
        return (...args: unknown[]) => watchedPort(name, value.apply(target, args), watch)
      if (name === 'edge' && key === 'answeredBy') return value.bind(target)
      return async (...args: unknown[]) => {
        watch.before?.(`${name}.${String(key)}`)
        const result: unknown = await value.apply(target, args)
        watch.after?.(`${name}.${String(key)}`)
        return result
      }
    },
  })
}
