import { EdgeError, StaleGeneration } from '../control/errors.ts'
import type { Edge, Ports } from './ports.ts'

type LeaseNeeds = Pick<Ports, 'store' | 'clock' | 'config'>

/** What our rpc.cfg takes, less one. */
const highestGeneration = 999_999_999_999_998

/** The right to write to an edge: every request carries its generation. */
export class Lease {
  /** a write of this generation was not answered: it may still arrive */
  unanswered = false
  edge: Edge
  readonly until: number
  generation: number
  private readonly ports: LeaseNeeds
  private readonly plain: Edge

  constructor(ports: LeaseNeeds, edge: Edge, generation: number, until: number) {
    this.ports = ports
    this.plain = edge
    this.generation = generation
    this.until = until
    this.edge = edge.under(generation)
  }

  /** Whatever the edge refuses as stale is asked again under a generation above what it has seen: a restored table starts low. */
  async ask<T>(work: (edge: Edge) => Promise<T>): Promise<T> {
    if (!this.isHeld())
      throw new EdgeError(this.plain.id, 'busy', 'it answers too slowly to be settled within its lease')
    try {
      return await work(this.edge)
    } catch (error) {
      // One at the limit can't be outdone: only a restart of the edge forgets it.
      if (!(error instanceof StaleGeneration) || error.seen >= highestGeneration) throw error
      const raised = await this.ports.store.raiseGeneration(this.plain.id, this.generation, error.seen)
      if (raised === undefined) throw error
      this.generation = raised
      this.edge = this.plain.under(raised)
      return work(this.edge)
    }
  }

  /** What is asked now is answered, or given up, within the lease. */
  private isHeld(): boolean {
    return this.ports.clock.now() + this.ports.config.timers.rpcTimeoutSeconds * 1000 <= this.until
  }

  /** For so many answers that come at the last moment: another look with what it writes and reads back, unless it is said. */
  hasTime(timeouts = 5): boolean {
    return this.ports.clock.now() + timeouts * this.ports.config.timers.rpcTimeoutSeconds * 1000 < this.until
  }

  /** A successor waits where a request may be on its way still: not every edge has a fence. */
  async giveUp(): Promise<void> {
    const until = this.unanswered ? this.ports.clock.now() : 0
    await this.ports.store.giveUpEdge(this.plain.id, this.generation, until)
  }
}

export function lost(edge: Pick<Edge, 'id'>): EdgeError {
  return new EdgeError(edge.id, 'busy', 'its lease was lost to another run')
}
