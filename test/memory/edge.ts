import { createEdge } from '../../functions/kamailio/dispatcher.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import type { MemoryEdgeOptions } from './edge-options.ts'
import { MemoryKamailio } from './kamailio.ts'

/**
 * Our client and the Kamailio in memory that it asks: what a test does to an edge it does to this. A method
 * may be replaced.
 */
export class MemoryEdge extends MemoryKamailio implements Edge {
  readonly id: string
  readonly restoresDialogs: boolean
  under: Edge['under']
  facts: Edge['facts']
  boot: Edge['boot']
  answeredBy: Edge['answeredBy']
  list: Edge['list']
  write: Edge['write']
  readGuards: Edge['readGuards']
  reload: Edge['reload']
  count: Edge['count']
  countAndBoot: Edge['countAndBoot']
  begunUris: Edge['begunUris']
  endCalls: Edge['endCalls']

  constructor(options: MemoryEdgeOptions) {
    super(options)
    const { id, clock, restoresDialogs = false } = options
    this.id = id
    this.restoresDialogs = restoresDialogs
    // The port keeps the timeout by the virtual clock; a real one would end requests that only the test's
    // clock may end.
    const timeoutMs = 2 ** 31 - 1
    const client = createEdge({
      id,
      restoresDialogs,
      transport: this.port,
      timeoutMs,
      now: () => clock.now(),
    })
    this.under = client.under
    this.facts = client.facts
    this.boot = client.boot
    this.answeredBy = client.answeredBy
    this.list = client.list
    this.write = client.write
    this.readGuards = client.readGuards
    this.reload = client.reload
    this.count = client.count
    this.countAndBoot = client.countAndBoot
    this.begunUris = client.begunUris
    this.endCalls = client.endCalls
  }

  /** Replaces methods also of the same edge under a lease, each time by `change` of what is asked there. */
  change(change: (edge: Edge) => Partial<Edge>): void {
    const { under } = this
    this.under = (generation) => {
      const leased = under(generation)
      return { ...leased, ...change(leased) }
    }
    Object.assign(this, change({ ...(this as Edge) }))
  }
}
