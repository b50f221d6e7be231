import type { RunTrace } from './incidents.ts'

/** What was asked for by choice, and what became of it, as store and edges showed it. Times are epoch ms. */

/** What a request or a hold is for. */
export interface Scope {
  /** its source and id: one hold has one */
  readonly key: string
  /** what it is placed on */
  readonly subject: string
  /** as `spelled` has them */
  readonly uris: readonly string[]
  /** the places whose whole address it takes */
  readonly servers: readonly number[]
  /** all places that it is about */
  readonly places: readonly number[]
  readonly sender: string | undefined
  readonly isForced: boolean
}

/** A lifecycle action's hold is placed by the instance's id, before anybody knows what it covers. */
export function isOfOneServer(one: Scope, other: Scope): boolean {
  const [instance] = one.subject.split(' ')
  return (
    (instance?.startsWith('i-') === true && other.subject.startsWith(`${instance} `)) ||
    one.places.some((place) => other.places.includes(place)) ||
    one.uris.some((uri) => other.uris.includes(uri))
  )
}

/** A hold as it was written. */
export interface HoldWritten extends Scope {
  readonly at: number
  readonly isByChoice: boolean
  readonly isLifted: boolean
  /** who lifted it */
  readonly liftedBy: string | undefined
  readonly order: string
  readonly run: RunTrace | undefined
}

/** A request that was written and has not begun: until it is placed, dropped, or asked for anew. */
export interface Wait extends Scope {
  readonly from: number
  /** its place in the queue */
  readonly since: number
  readonly order: string
  readonly run: RunTrace | undefined
  until: number
}

/** A hold by choice that came into force. */
export interface Placement extends Scope {
  readonly at: number
  readonly run: RunTrace | undefined
}

export interface FreezeWritten {
  readonly at: number
  readonly until: number
  readonly isEnded: boolean
  readonly sender: string | undefined
  /** whoever sent it was told that it is in force */
  answeredAt?: number
}

/** What one edge listed, for as long as it was the same at each reading. */
export interface Shown {
  readonly from: number
  until: number
  readonly entries: readonly {
    readonly set: number
    /** `spelled` */
    readonly uri: string
    readonly server: number | undefined
    readonly isActive: boolean
    /** it would be active once it answers pings */
    readonly isSelectable: boolean
  }[]
}

export class Choices {
  readonly holds: HoldWritten[] = []
  readonly waits: Wait[] = []
  readonly placements: Placement[] = []
  readonly freezes: FreezeWritten[] = []
  /** who had the right to decide, from when on */
  readonly leases: { readonly at: number; readonly run: RunTrace | undefined }[] = []
  readonly drains: {
    readonly at: number
    readonly key: string
    readonly phase: string
    readonly order: string
  }[] = []
  /** of commands for many: members that were answered as refused, by the message's order */
  readonly refused: { readonly order: number; readonly server: number | undefined }[] = []
  /** by edge: what it listed, and what is stored of when it was read */
  readonly shown: Shown[][]
  readonly heads: {
    readonly edge: number
    readonly at: number
    readonly askedAt: number | undefined
    readonly isUnreadable: boolean
  }[] = []

  private lastAt = 0

  constructor(edges: number) {
    this.shown = Array.from({ length: edges }, () => [])
  }

  /** A time of its own for each thing that is noted: many of them come within one millisecond, in order. */
  at(now: number): number {
    this.lastAt = Math.max(now, this.lastAt + 1 / 1024)
    return this.lastAt
  }

  shows(edge: number, now: number, entries: Shown['entries']): void {
    const all = this.shown[edge]
    if (!all) throw new Error(`there is no edge ${edge}`)
    const last = all.at(-1)
    if (last && JSON.stringify(last.entries) === JSON.stringify(entries)) last.until = now
    else all.push({ from: now, until: now, entries })
  }

  writesHold(hold: HoldWritten): void {
    const { key, subject, order, at } = hold
    const waited = this.waits.findLast((one) => one.key === key && one.order === order && one.until > at)
    if (waited && !hold.isLifted) waited.until = at
    // Settle fills in the launch time of a machine that EC2 did not show: nothing is placed by that.
    const its = [subject, `${subject.split(' ')[0]} 0`]
    const before = this.holds.findLast((one) => one.key === key && its.includes(one.subject))
    this.holds.push(hold)
    const isPlaced = hold.isByChoice && !hold.isLifted && (!before || before.isLifted)
    if (isPlaced) this.placements.push(hold)
  }

  waitsFor(wait: Omit<Wait, 'until'>): void {
    this.endWait(wait.key, wait.from)
    this.waits.push({ ...wait, until: Number.POSITIVE_INFINITY })
  }

  endWait(key: string, now: number): void {
    const open = this.waits.findLast((one) => one.key === key && one.until > now)
    if (open) open.until = now
  }

  waitingAt(at: number): Wait[] {
    return this.waits.filter(({ from, until }) => from <= at && until > at)
  }

  freezeAnswered(now: number): void {
    const last = this.freezes.at(-1)
    if (last && !last.isEnded) last.answeredAt ??= now
  }

  /** Whether a freeze was in force at some time between the two, answered or not. */
  isFrozen(from: number, to: number): boolean {
    return this.freezes.some((freeze) => freeze.at <= to && this.endOf(freeze) >= from)
  }

  /** When the freeze was over: by itself, or as the next one was written. */
  endOf(freeze: FreezeWritten): number {
    if (freeze.isEnded) return Number.NEGATIVE_INFINITY
    const next = this.freezes[this.freezes.indexOf(freeze) + 1]
    return Math.min(freeze.until, next?.at ?? Number.POSITIVE_INFINITY)
  }

  /** Holds of which some state between the two times was in force. */
  everHeld(from: number, to: number): HoldWritten[] {
    return [...this.bySubject().values()].flatMap((states) => {
      const inForce = statesIn(states, from, to).filter(({ isLifted }) => !isLifted)
      return inForce.slice(-1)
    })
  }

  /** Holds that were in force all the while, and those by choice that came meanwhile and stayed. */
  surelyHeld(from: number, to: number): HoldWritten[] {
    return [...this.bySubject().values()].flatMap((states) => {
      const its = statesIn(states, from, to)
      const [first] = its
      const wasThere = first !== undefined && (first.at <= from || first.isByChoice)
      return wasThere && its.every(({ isLifted }) => !isLifted) ? its.slice(0, 1) : []
    })
  }

  /** As the table has them: its machine's launch time may be filled in later. */
  private bySubject(): Map<string, HoldWritten[]> {
    return Map.groupBy(this.holds, ({ key, subject }) => `${key} ${subject.split(' ')[0]}`)
  }
}

/** What is true of something at a time and until another: its last state before, and those since. */
export function statesIn<T extends { readonly at: number }>(
  states: readonly T[],
  from: number,
  to: number,
): T[] {
  const before = states.findLast(({ at }) => at <= from)
  return [...(before ? [before] : []), ...states.filter(({ at }) => at > from && at <= to)]
}

/** One spelling for each URI. */
export function spelled(uri: string): string {
  return uri.toLowerCase().replace(/:5060(?=$|;)/, '')
}

/** The address as a URI writes it. */
export function inUri(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** How a machine's destination is commonly written. */
export function usualUris(address: string): string[] {
  return [`sip:${inUri(address)}`, `sip:${inUri(address)}:5060`]
}
