import { EdgeError, StaleGeneration } from '../control/errors.ts'
import { highestGeneration } from '../control/generation.ts'
import type { Edge } from '../ports/edge.ts'
import type { Ports } from '../ports/ports.ts'
import type { Boots } from './boots.ts'

type LeaseNeeds = Pick<Ports, 'store' | 'clock' | 'config'>

/** In RPC timeouts: for so long whoever comes after a run that was killed waits, and a little more. */
const leaseTimeouts = 4
/** In RPC timeouts: with less time than this nothing is asked before the lease is extended. */
const askTimeouts = 3
/** In RPC timeouts: for so long it is extended at the most. */
const longestTimeouts = 20

/** The right to write to an edge: every request carries its generation. It is extended while work goes on. */
export class Lease {
  /** a write of this generation was not answered: it may still arrive */
  unanswered = false
  edge: Edge
  generation: number
  private until: number
  private readonly endsAt: number
  private readonly boots: Boots
  private readonly ports: LeaseNeeds
  private readonly plain: Edge

  private constructor(ports: LeaseNeeds, edge: Edge, taken: Taken) {
    this.ports = ports
    this.plain = edge
    this.generation = taken.generation
    this.until = taken.until
    this.boots = taken.boots
    this.endsAt = taken.at + longestTimeouts * this.rpcMs()
    this.edge = edge.under(taken.generation)
  }

  /**
   * @param lateMs how long after the end of a lease that was not given up a request of its holder may still
   * be on its way
   * @returns undefined while another run has it
   */
  static async take(
    ports: LeaseNeeds,
    edge: Edge,
    owner: string,
    lateMs: number,
    boots: Boots,
  ): Promise<Lease | undefined> {
    const at = ports.clock.now()
    const until = at + leaseTimeouts * ports.config.timers.rpcTimeoutSeconds * 1000
    const generation = await ports.store.takeEdge(edge.id, owner, at - lateMs, until)
    return generation === undefined ? undefined : new Lease(ports, edge, { generation, at, until, boots })
  }

  /**
   * Whatever the edge refuses as stale is asked again under a generation above what it has seen: a restored
   * table starts low.
   */
  async ask<T>(work: (edge: Edge) => Promise<T>): Promise<T> {
    if (!this.hasLeft(askTimeouts)) await this.extend()
    try {
      return await this.answered(work)
    } catch (error) {
      // One at the limit can't be outdone: only a restart of the edge forgets it.
      if (!(error instanceof StaleGeneration) || error.seen >= highestGeneration) throw error
      // A refusal may name a lower one than ours, and none is taken back.
      const highest = Math.max(error.seen, this.generation)
      const raised = await this.ports.store.raiseGeneration(this.plain.id, this.generation, highest)
      if (raised === undefined) throw error
      this.generation = raised
      this.edge = this.plain.under(raised)
      return this.answered(work)
    }
  }

  /**
   * Whatever came of it: where another edge's Kamailio has answered, that is what is wrong, and its
   * generation is none of ours.
   */
  private async answered<T>(work: (edge: Edge) => Promise<T>): Promise<T> {
    try {
      return await work(this.edge)
    } finally {
      this.boots.answered(this.edge)
    }
  }

  private rpcMs(): number {
    return this.ports.config.timers.rpcTimeoutSeconds * 1000
  }

  private hasLeft(timeouts: number): boolean {
    return this.ports.clock.now() + timeouts * this.rpcMs() <= this.until
  }

  /** @throws EdgeError where it was lost, or has been extended for too long */
  private async extend(): Promise<void> {
    const { store, clock } = this.ports
    const until = Math.min(this.endsAt, clock.now() + leaseTimeouts * this.rpcMs())
    if ((await store.extendEdge(this.plain.id, this.generation, until)) === 'lost') throw lost(this.plain)
    this.until = until
    if (!this.hasLeft(1))
      throw new EdgeError(this.plain.id, 'busy', 'it answers too slowly to be settled within its lease')
  }

  /**
   * For so many RPC timeouts, by default another look, what it writes and reads back, and a pause before it.
   */
  hasTime(timeouts = 5): boolean {
    return this.ports.clock.now() + timeouts * this.rpcMs() < this.endsAt
  }

  /** A successor waits where a request may be on its way still: not every edge has a fence. */
  async giveUp(): Promise<void> {
    const until = this.unanswered ? this.ports.clock.now() : 0
    await this.ports.store.giveUpEdge(this.plain.id, this.generation, until)
  }
}

interface Taken {
  readonly generation: number
  readonly at: number
  readonly until: number
  readonly boots: Boots
}

export function lost(edge: Pick<Edge, 'id'>): EdgeError {
  return new EdgeError(edge.id, 'busy', 'its lease was lost to another run')
}

/**
 * After a lease that was not given up: a request of its holder may still be on its way to an edge without a
 * fence.
 */
export function lateMs({ config }: Pick<Ports, 'config'>): number {
  return config.timers.rpcTimeoutSeconds * 1000 + 2000
}
