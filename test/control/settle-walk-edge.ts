import type { DestinationUri, Flags, ListedDestination } from '../../functions/control/destination.ts'
import type { StateWrite } from '../../functions/control/plan.ts'
import type { GuardWrite } from '../../functions/control/settle-plan.ts'
import { uri } from './samples.ts'

/** What of the protocol and of the edge is there. All is on unless it is named. */
export interface WalkOptions {
  /** 5.6 shows no IUID */
  readonly version: '6.1' | '5.6'
  /** our rpc.cfg refuses a lower generation than it has seen since its boot */
  readonly fence: boolean
  /** without the fence: how long a successor waits, ms; a late request arrives within {@link latestMs} */
  readonly waitMs: number
  readonly without?:
    | 'unanswered'
    | 'sent'
    | 'identity'
    | 'two readings'
    | 'last look'
    | 'wake'
    | 'records first'
  /** nothing fails and nobody else writes: then the settles that were asked for are enough */
  readonly quiet?: boolean
  /**
   * Requests that are late arrive also after a restart, which has forgotten the fence. `named`: each names
   * the boot that its settle has read, and another boot refuses it. Our rpc.cfg does not do that yet.
   */
  readonly outliving?: 'unnamed' | 'named'
  /** nobody else writes, reloads or restarts */
  readonly alone?: boolean
}

/** The RPC timeout and 2 s. */
export const latestMs = 5_000

export type Random = () => number

/** mulberry32 */
export function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function oneOf<T>(random: Random, items: readonly T[]): T {
  const found = items[Math.floor(random() * items.length)]
  if (found === undefined) throw new Error('nothing to choose from')
  return found
}

/** One line of the edge's list file, and what became of it. */
export interface Slot {
  readonly set: number
  readonly uri: DestinationUri
  readonly duid?: string
  file: Flags | 'absent'
  shown: Flags | 'absent'
  /** what it would show without us */
  own: Flags | 'absent'
  /** changes with `own` */
  version: number
  iuid: string
  /** the generation that may have written its state since it was read back */
  unread: number
  /** whether nobody could tell our writing from somebody else's: then it may show either */
  undecidable: boolean
}

export const uris = {
  plain: uri('sip:10.0.1.20:5060'),
  named: uri('sip:ms-b.test:5060'),
  twin: uri('sip:10.0.1.30:5060'),
  spare: uri('sip:10.0.1.20'),
}

/** A destination in two sets, one told by duids twice in one set, and one twice in a set without duids. */
const lines = [
  { set: 1, uri: uris.plain },
  { set: 2, uri: uris.plain },
  { set: 1, uri: uris.named, duid: 'i-0bbbbbbbbbbbbbbbb' },
  { set: 1, uri: uris.named, duid: 'other' },
  { set: 3, uri: uris.twin },
  { set: 3, uri: uris.twin },
]

/** A write, with what its entry was when it was decided. */
export interface Decided {
  readonly write: StateWrite | GuardWrite
  readonly slot?: Slot | undefined
  readonly version?: number
}

export interface Sent {
  readonly writes: readonly Decided[]
  readonly generation: number
  /** the one that its settle has read */
  readonly boot: number
  /** ms */
  readonly dueBy: number
}

/** One Kamailio, and what a bystander who sees everything knows of it. */
export class WalkEdge {
  readonly slots: Slot[]
  readonly guards = new Set<DestinationUri>()
  readonly options: WalkOptions
  readonly random: Random
  readonly hasGuard: boolean
  fence = 0
  boot = 1
  loads = 1

  constructor(random: Random, options: WalkOptions) {
    this.random = random
    this.options = options
    this.hasGuard = random() < 0.85
    this.slots = lines.map((line, index) => {
      const file = index === 5 && random() < 0.6 ? 'absent' : this.anyFlags()
      return {
        ...line,
        file,
        shown: file,
        own: file,
        version: 0,
        iuid: `1-${index}`,
        unread: 0,
        undecidable: false,
      }
    })
  }

  anyFlags(): Flags {
    return oneOf(this.random, ['AX', 'AX', 'AP', 'IP', 'TX', 'AN', 'DX', 'DP'] as const)
  }

  list(): ListedDestination[] {
    const found = this.slots.flatMap(({ set, uri, duid, shown, iuid }) =>
      shown === 'absent'
        ? []
        : [
            {
              set,
              uri,
              flags: shown,
              ...(duid !== undefined && { duid }),
              ...(this.options.version === '6.1' && { iuid }),
            },
          ],
    )
    return this.random() < 0.5 ? found : found.reverse()
  }

  /** What is listed at this place of a list that was read. */
  slotOf({ set, uri, duid }: Pick<ListedDestination, 'set' | 'uri' | 'duid'>): Slot | undefined {
    const known = this.slots.filter((slot) => slot.set === set && slot.uri === uri && slot.shown !== 'absent')
    return known.find((slot) => slot.duid === duid) ?? known[0]
  }

  isTwin(slot: Slot): boolean {
    return this.slots.some(
      (other) =>
        other !== slot &&
        other.shown !== 'absent' &&
        slot.shown !== 'absent' &&
        entryOf(other) === entryOf(slot),
    )
  }

  execute({ writes, generation, boot }: Omit<Sent, 'dueBy'>): 'ok' | 'stale' {
    if (this.options.outliving === 'named' && boot !== this.boot) return 'stale'
    if (!this.admits(generation)) return 'stale'
    for (const decided of writes) {
      const { write } = decided
      if ('held' in write) {
        if (write.held && this.hasGuard) this.guards.add(write.uri)
        else this.guards.delete(write.uri)
      } else this.setState(write, decided)
    }
    return 'ok'
  }

  admits(generation: number): boolean {
    if (!this.options.fence) return true
    if (generation < this.fence) return false
    this.fence = generation
    return true
  }

  private setState({ set, uri, duid, state }: StateWrite, { slot, version }: Decided): void {
    const ofSet = this.slots.filter((one) => one.set === set && one.shown !== 'absent')
    const hit = ofSet.find((one) => (duid === undefined ? one.uri === uri : one.duid === duid))
    if (!hit) return
    if (hit !== slot || hit.version !== version) hit.undecidable = true
    hit.shown = `${state.charAt(0).toUpperCase() as 'A' | 'I' | 'D' | 'T'}${state.endsWith('p') ? 'P' : 'X'}`
  }

  /** @param recorded whether we have a record of it */
  reload(recorded: (slot: Slot) => boolean): void {
    this.loads += 1
    for (const slot of this.slots)
      this.change(slot, slot.file, this.options.version === '5.6' && recorded(slot))
  }

  restart(): void {
    this.boot += 1
    this.loads += 1
    this.fence = 0
    this.guards.clear()
    for (const slot of this.slots) this.change(slot, slot.file, false)
  }

  /** @param unseen whether nothing but the flags would show it, and we have a record of the entry */
  private change(slot: Slot, flags: Flags | 'absent', unseen: boolean): void {
    slot.iuid = `${this.loads}-${this.slots.indexOf(slot)}`
    this.set(slot, flags, unseen)
  }

  /** By somebody else: no identity changes. @param recorded whether we have a record of the entry */
  set(slot: Slot, flags: Flags | 'absent', recorded: boolean): void {
    slot.version += 1
    slot.own = flags
    slot.shown = flags
    const unread = this.slots.some((one) => one.unread > 0 && entryOf(one) === entryOf(slot))
    slot.undecidable = flags.startsWith('D') && (recorded || unread)
  }

  edit(): void {
    const slot = oneOf(this.random, this.slots)
    slot.file = this.random() < 0.15 ? 'absent' : this.anyFlags()
  }
}

export function entryOf({ set, uri, duid = '' }: Pick<ListedDestination, 'set' | 'uri' | 'duid'>): string {
  return `${set} ${uri} ${duid}`
}
