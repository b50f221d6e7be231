import { LateWrites } from './late-writes.ts'

/** What is true of one edge's list. Times are epoch milliseconds. */

export interface Line {
  readonly set: number
  readonly uri: string
  readonly flags?: string
}

/** A request of ours as it was sent, under which generation. */
export interface Request {
  readonly body: string
  readonly generation?: number | undefined
}

/** One entry of an edge's list, as it would be had we never touched it. */
export interface Entry {
  readonly set: number
  readonly uri: string
  /** the flags that are right; several where nobody can decide */
  accepts: ReadonlySet<string>
  /** what was right before the last hand or load, for a write of ours that had read it */
  before: ReadonlySet<string>
  changedAt: number
  writtenAt: number
}

/** An entry's record, as it is stored. */
interface Recorded extends Line {
  readonly flags: string
  /** there while a D of ours was sent, or was about to be, and no reading has settled it */
  readonly sent?: number
}

interface OnRecord {
  readonly flags: string
  readonly accepts: ReadonlySet<string>
  readonly isSent: boolean
}

/** How long a write of ours may come after the reading that it is based on. */
const readToWriteMs = 15_000

export class EdgeTruth {
  readonly entries = new Map<string, Entry>()
  readonly late = new LateWrites()
  /** what was listed from when on */
  readonly loads: { readonly at: number; readonly uris: readonly string[] }[] = []
  /** when calls were counted there */
  readonly countedAt: number[] = []
  /** whether a reload gives entries a new identity: 6.1 */
  private readonly hasIdentities: boolean
  /**
   * requests of ours with state writes that were sent and are not answered: they may arrive until a later
   * generation has read the list
   */
  private inTheAir: readonly Request[] = []
  private readonly troubles: { readonly from: number; readonly until: number }[] = []
  /**
   * entries that we have on record as disabled by us under the identity that they have, and what was right
   * then
   */
  private onRecord: ReadonlyMap<string, OnRecord> = new Map()

  constructor(hasIdentities: boolean) {
    this.hasIdentities = hasIdentities
  }

  /**
   * What is on record of it from now on. A D that comes between two readings, and that nothing but the flags
   * shows, looks like ours there. So does one that is loaded once a D of ours was about to be sent, whether
   * or not it came to that, until the next reading.
   */
  recorded(records: readonly Recorded[]): void {
    const former = this.onRecord
    const ours = records.flatMap(({ set, uri, flags, sent }) => {
      const key = keyOf(set, uri)
      const { accepts = [], before = [] } = this.entries.get(key) ?? {}
      const known = former.get(key)
      if (flags.startsWith('D')) return []
      const right = known?.flags === flags ? known.accepts : new Set([...accepts, ...before])
      return [[key, { flags, accepts: right, isSent: sent !== undefined }] as const]
    })
    this.onRecord = new Map(ours)
  }

  isTroubled(from: number, until: number): void {
    this.troubles.push({ from, until })
  }

  /** A request of ours is sent. */
  sent(request: Request): void {
    if (request.body.includes('"dispatcher.set_')) this.inTheAir = [...this.inTheAir, request]
  }

  /** Its answer came. */
  answered(request: Request): void {
    const { generation = 0, body } = request
    const endsEarlier = body.includes('"dispatcher.list"')
    this.inTheAir = this.inTheAir.filter(
      (one) => one !== request && !(endsEarlier && (one.generation ?? 0) < generation),
    )
  }

  /** What shows a D then may have it from such a write: it counts as ours, whoever else may have meant it. */
  private mayArrive(uri: string): boolean {
    return this.inTheAir.some(({ body }) => body.includes(`"${uri}"`))
  }

  /** The list file was loaded. `held`: which entries showed a D that is ours. */
  loaded(lines: readonly Line[], by: 'restart' | 'reload', now: number, held = new Set<string>()): void {
    this.loads.push({ at: now, uris: lines.map(({ uri }) => uri) })
    this.late.loaded(by)
    const former = new Map(this.entries)
    this.entries.clear()
    if (by === 'restart' || this.hasIdentities)
      this.onRecord = new Map([...this.onRecord].filter(([, { isSent }]) => isSent))
    for (const { set, uri, flags = 'AX' } of lines) {
      const key = keyOf(set, uri)
      const old = former.get(key)
      const known = this.onRecord.get(key)
      const looksLikeOurs = known || this.mayArrive(uri) || (held.has(key) && old && this.unclear(old, now))
      // The list's own D can't be told from ours where nothing shows that it was loaded, or a write of ours
      // is in the air.
      const undecided = flags.startsWith('D') && looksLikeOurs
      this.entries.set(key, {
        set,
        uri,
        accepts: new Set(undecided ? [flags, ...(old?.accepts ?? []), ...(known?.accepts ?? [])] : [flags]),
        before: old?.accepts ?? new Set(),
        changedAt: now,
        writtenAt: Number.NEGATIVE_INFINITY,
      })
    }
  }

  /** Somebody set a state by hand. `held`: the entry showed a D that is ours. */
  byHand(set: number, uri: string, flags: string, held: boolean, now: number): void {
    const key = keyOf(set, uri)
    const entry = this.entries.get(key)
    if (!entry) throw new Error(`the list has no entry ${key}`)
    this.late.changed.delete(key)
    const known = flags.startsWith('D') ? this.onRecord.get(key) : undefined
    const looksLikeOurs = held || known || this.mayArrive(uri) || this.unclear(entry, now)
    entry.before = entry.accepts
    entry.accepts = new Set(looksLikeOurs ? [flags, ...entry.accepts, ...(known?.accepts ?? [])] : [flags])
    entry.changedAt = now
  }

  /** A state of ours arrives. */
  written(set: number, uri: string, now: number): Entry | undefined {
    const entry = this.entries.get(keyOf(set, uri))
    if (!entry) return undefined
    // It may be based on what was shown before somebody else changed it.
    if (now - entry.changedAt < readToWriteMs || this.wasTroubled(now))
      entry.accepts = new Set([...entry.accepts, ...entry.before])
    entry.writtenAt = now
    return entry
  }

  private unclear(entry: Entry, now: number): boolean {
    return now - entry.writtenAt < readToWriteMs || this.wasTroubled(now)
  }

  private wasTroubled(now: number): boolean {
    return this.troubles.some(({ from, until }) => now >= from && now < until + readToWriteMs)
  }
}

export function keyOf(set: number, uri: string): string {
  return `${set} ${uri.toLowerCase()}`
}
