import { type Flags, sipUri, type WritableState } from '../../functions/control/destination.ts'

/** One line of the edge's dispatcher file: what a reload or restart goes back to. */
export interface FileEntry {
  readonly set: number
  readonly uri: string
  readonly flags?: Flags
  readonly duid?: string
}

/** What answered pings do, by `ds_probing_mode`. */
export type ProbingMode = 0 | 1 | 2 | 3

export interface Entry {
  readonly set: number
  readonly uri: string
  readonly duid?: string
  readonly iuid: string
  /** what a DNS name was resolved to when the list was loaded */
  readonly address?: string
  flags: Flags
  flagsSetAt: number
  load: number
}

/**
 * The entries and states that one Kamailio keeps in memory: lost at a reload, which takes `reloadTakesMs`.
 * Times in epoch ms.
 */
export class DispatcherMemory {
  /** What a reload goes back to; replaced as an administrator would. */
  file: readonly FileEntry[]
  private readonly knowsNoPing: boolean
  private readonly names: Readonly<Record<string, string>> | undefined
  private readonly probingMode: ProbingMode | undefined
  private readonly reloadTakesMs: number
  private readonly reloadDeltaMs: number
  private current: Entry[] = []
  private generation = 0
  private reloadedAt = Number.NEGATIVE_INFINITY
  private loading: { readonly file: readonly FileEntry[]; readonly until: number } | undefined
  private bootedAt: number

  constructor(settings: {
    readonly file: readonly FileEntry[]
    /** the flag 32 of the file, which 5.6 ignores */
    readonly knowsNoPing: boolean
    /** what DNS answers to the edge; undefined: it does not ask, as with the file's flag 16 */
    readonly names: Readonly<Record<string, string>> | undefined
    readonly probingMode: ProbingMode | undefined
    readonly reloadTakesMs: number
    readonly reloadDeltaMs: number
    readonly bootedAt: number
  }) {
    this.file = settings.file
    this.knowsNoPing = settings.knowsNoPing
    this.names = settings.names
    this.probingMode = settings.probingMode
    this.reloadTakesMs = settings.reloadTakesMs
    this.reloadDeltaMs = settings.reloadDeltaMs
    this.bootedAt = settings.bootedAt
    this.load(settings.bootedAt)
  }

  restart(now: number): void {
    this.bootedAt = now
    this.reloadedAt = Number.NEGATIVE_INFINITY
    this.load(now)
  }

  /** @returns whether it was started: not within `reload_delta` of the last, nor while one is running. */
  reload(now: number): boolean {
    this.entries(now)
    if (this.loading || now < this.reloadedAt + this.reloadDeltaMs) return false
    this.reloadedAt = now
    this.loading = { file: this.file, until: now + this.reloadTakesMs }
    this.entries(now)
    return true
  }

  /** The entries as listed, after what was due by now: the end of a reload, the next answered ping. */
  entries(now: number): readonly Entry[] {
    if (this.loading && now >= this.loading.until) this.load(this.loading.until, this.loading.file)
    for (const entry of this.current)
      if (this.probingMode !== undefined && now >= entry.flagsSetAt + 1000)
        entry.flags = pinged(entry.flags, this.probingMode)
    return this.current
  }

  /** @returns false when nothing matches; only the first match changes. */
  set(now: number, state: WritableState, matches: (entry: Entry) => boolean): boolean {
    const entry = this.entries(now).find(matches)
    if (!entry) return false
    entry.flags = stateFlags[state]
    entry.flagsSetAt = now
    return true
  }

  /**
   * Targets stand in the reverse order of the file (measured); a line without a known scheme, or with a name
   * that nobody resolves, is skipped without a word.
   */
  private load(now: number, file = this.file): void {
    this.generation += 1
    this.loading = undefined
    const boot = Math.floor(this.bootedAt / 1000).toString(16)
    this.current = file
      .flatMap((line, index) => {
        const uri = line.uri
        const host = sipUri(uri)?.host ?? ''
        const address = this.names?.[host]
        const isName = /[a-z]/.test(host) && !host.includes(':')
        // `tel:` names no host: it is kept only where nothing is resolved.
        if (
          this.names ? /^tel:/i.test(uri) || (isName && address === undefined) : !/^(sips?|tel):/i.test(uri)
        )
          return []
        const iuid = `dspt-${boot}-${this.generation.toString(16)}-${index + 1}-${line.set}`
        const filed = line.flags ?? 'AX'
        const flags: Flags = filed.endsWith('N') && !this.knowsNoPing ? 'AX' : filed
        const duid = line.duid === undefined ? {} : { duid: line.duid }
        return [
          {
            set: line.set,
            uri,
            iuid,
            flags,
            flagsSetAt: now,
            load: 0,
            ...duid,
            ...(address && { address }),
          },
        ]
      })
      .reverse()
  }
}

/** Every state bit goes, the no-ping bit too; `dp` shows as `DX` (measured). */
const stateFlags: Record<WritableState, Flags> = {
  a: 'AX',
  ap: 'AP',
  i: 'IX',
  ip: 'IP',
  d: 'DX',
  dp: 'DX',
  t: 'TX',
  tp: 'TP',
}

/** What the next answered OPTIONS makes of the flags (measured per `ds_probing_mode`). */
function pinged(flags: Flags, mode: ProbingMode): Flags {
  const asked = mode === 1 || flags.endsWith('P')
  if (!asked || flags.startsWith('D') || flags.endsWith('N')) return flags
  if (mode === 2 && flags.startsWith('A')) return flags
  return mode === 1 || mode === 3 ? 'AP' : 'AX'
}
