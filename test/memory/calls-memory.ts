import type { CallsOf } from '../../functions/ports/edge.ts'
import { present } from '../present.ts'
import type { Entry } from './dispatcher-memory.ts'

/** One call of an edge: to a destination, or placed by a media server. */
export interface MemoryCall {
  readonly dst?: string
  readonly src?: string
  readonly entry?: Entry
}

/** The dialogs that one Kamailio keeps, their profiles, and the counters of kamailio/call-profiles.cfg. */
export class CallsMemory {
  /** What the table `begun` holds: it only rises. */
  readonly begun = new Map<string, number>()
  private readonly kept: readonly ('dst' | 'src')[]
  private readonly calls = new Map<number, MemoryCall>()
  private last = 0

  /** @param kept the profiles that the edge's script has */
  constructor(kept: readonly ('dst' | 'src')[]) {
    this.kept = kept
  }

  get size(): number {
    return this.calls.size
  }

  begin(call: MemoryCall): number {
    this.last += 1
    this.calls.set(this.last, call)
    const counted = [
      ...(call.dst === undefined ? [] : [call.dst, 'total:dst']),
      ...(call.src ? [call.src] : []),
    ]
    for (const key of counted.length > 0 ? [...counted, 'total'] : []) this.raise(key)
    if (call.entry) call.entry.load += 1
    return this.last
  }

  isUp(call: number): boolean {
    return this.calls.has(call)
  }

  /** @throws if it is not up: whoever hangs up twice, or after a restart, must ask {@link isUp} first */
  hangUp(call: number): void {
    const { entry } = this.upCall(call)
    if (entry && entry.load > 0) entry.load -= 1
    this.calls.delete(call)
  }

  /** Keepalives end its dialog without a proof that the call is over. @throws if it is not up */
  reap(call: number): void {
    const { dst, src } = this.upCall(call)
    for (const key of [dst ?? src ?? 'unknown', 'total']) this.raise(`reaped:${key}`)
    this.calls.delete(call)
  }

  /** @returns undefined where the edge does not keep this profile */
  members(profile: string, value: string | undefined): number[] | undefined {
    const known = this.kept.find((each) => each === profile)
    if (known === undefined) return undefined
    return [...this.calls].flatMap(([id, call]) =>
      call[known] !== undefined && (value === undefined || call[known] === value) ? [id] : [],
    )
  }

  /** Calls that its profiles hold under any of these. */
  up({ uris, addresses }: CallsOf): readonly number[] {
    const found = [
      ...uris.flatMap((uri) => this.members('dst', uri) ?? []),
      ...addresses.flatMap((address) => this.members('src', address) ?? []),
    ]
    return [...new Set(found)].sort((a, b) => a - b)
  }

  /** A restart: tables are empty, and so are dialogs unless a database restores them. */
  restart(restoresDialogs: boolean): void {
    this.begun.clear()
    if (!restoresDialogs) this.calls.clear()
  }

  private upCall(call: number): MemoryCall {
    return present(this.calls.get(call), `call ${call} that is up`)
  }

  private raise(key: string): void {
    this.begun.set(key, (this.begun.get(key) ?? 0) + 1)
  }
}
