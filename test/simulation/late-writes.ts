import type { Request } from './edge-truth.ts'

/** A run waits for so long until whatever was sent before its lease has arrived: an RPC timeout, and 2 s. */
const arrivesWithinMs = 5000

/**
 * What writes of ours have changed that arrived late. Where no fence refuses a write that was not answered,
 * it may be done after a later run has found nothing to do, and has dropped its record. A restarted edge has
 * no fence either, until we ask it anything.
 */
export class LateWrites {
  /** entries, and URIs of the guard, that such a write has changed, and nothing since */
  readonly changed = new Set<string>()
  private readonly sentAt = new WeakMap<Request, number>()
  /** the highest generation that has read the list */
  private readUnder = 0
  /** whether what is done now came late */
  private isLate = false

  sent(request: Request, now: number): void {
    this.sentAt.set(request, now)
  }

  /** All that it asks for is done now, or none of it. */
  arrives(request: Request, now: number): void {
    const { body, generation = 0 } = request
    const took = now - (this.sentAt.get(request) ?? now)
    this.isLate = took > arrivesWithinMs && generation < this.readUnder
    if (body.includes('"dispatcher.list"')) this.readUnder = Math.max(this.readUnder, generation)
  }

  /** A write is done. `changes`: it was otherwise before. */
  done(key: string, changes: boolean): void {
    if (!this.isLate) this.changed.delete(key)
    else if (changes) this.changed.add(key)
  }

  /** States are those of the list file again; the guard's table outlives a reload. */
  loaded(by: 'restart' | 'reload'): void {
    for (const key of [...this.changed])
      if (by === 'restart' || !key.startsWith(guardPrefix)) this.changed.delete(key)
  }
}

const guardPrefix = 'guard '

export function guardKey(uri: string): string {
  return `${guardPrefix}${uri}`
}
