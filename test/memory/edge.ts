import type { DestinationUri, ListedDestination, WritableState } from '../../functions/control/destination.ts'
import { EdgeError, type EdgeFault } from '../../functions/control/errors.ts'
import type { CallCount } from '../../functions/control/round.ts'
import type { CallsOf, Clock, Edge } from '../../functions/use-cases/ports.ts'
import { DispatcherMemory, type Entry, type FileEntry, type ProbingMode } from './dispatcher-memory.ts'
import { disturb, type Misbehaviour } from './misbehaviour.ts'

export interface MemoryEdgeOptions {
  readonly id: string
  readonly clock: Clock
  readonly file: readonly FileEntry[]
  readonly version?: '6.1' | '5.6'
  readonly restoresDialogs?: boolean
  /** whether the drain guard's table is there */
  readonly guard?: boolean
  /** call profiles that the edge's script keeps */
  readonly profiles?: readonly ('dst' | 'src')[]
  /** whether its policy lets calls be ended (`DC_RPC_END_CALLS`) */
  readonly endsCalls?: boolean
  /** whether DLGLOAD is kept (`ds_hash_size` > 0 and algorithm 10) */
  readonly load?: boolean
  /** whether the script tracks calls as dialogs, so that the edge's total is true; without it the total is always 0 */
  readonly dialogs?: boolean
  /** `ds_probing_mode` with every server answering pings each second; no pings when undefined */
  readonly probingMode?: ProbingMode
  readonly reloadDeltaSeconds?: number
  /** how long a reload takes until it replaces the states */
  readonly reloadTakesMs?: number
  readonly rpcTimeoutMs?: number
  /** epoch ms; the clock's now unless given */
  readonly bootedAt?: number
}

interface Call {
  readonly dst?: string
  readonly src?: string
  readonly entry?: Entry
}

/**
 * A Kamailio in memory that behaves as the real one was measured to (6.1.5, 5.6.3), on the clock that it is given. The test
 * reaches around the port through the methods that `Edge` does not have.
 */
export class MemoryEdge implements Edge {
  readonly id: string
  readonly restoresDialogs: boolean
  /** What goes wrong from now on. */
  misbehaviour: Misbehaviour = {}
  /** Every call of a method of the port that arrived here, in order, e.g. `setState d 1 sip:10.0.0.1:5060`. */
  readonly requests: string[] = []

  private readonly options: MemoryEdgeOptions
  private readonly dispatcher: DispatcherMemory
  private bootedAt: number
  private readonly held = new Set<string>()
  private readonly calls = new Map<number, Call>()
  private lastCall = 0
  private turn = 0
  private hasShownCalls = false

  constructor(options: MemoryEdgeOptions) {
    this.options = options
    this.id = options.id
    this.restoresDialogs = options.restoresDialogs ?? false
    this.bootedAt = options.bootedAt ?? options.clock.now()
    this.dispatcher = new DispatcherMemory({
      file: options.file,
      knowsNoPing: options.version !== '5.6',
      probingMode: options.probingMode,
      reloadTakesMs: options.reloadTakesMs ?? 0,
      reloadDeltaMs: (options.reloadDeltaSeconds ?? 5) * 1000,
      bootedAt: this.bootedAt,
    })
  }

  // what the port says

  async list(): Promise<readonly ListedDestination[]> {
    return this.answer('list', '', () => {
      const entries = this.entries()
      if (entries.length === 0) throw this.fault('empty-list', 'No Destination Sets')
      return entries.map(({ group, uri, duid, iuid, flags }) => ({
        group,
        uri,
        flags: this.misbehaviour.claimsFlags ?? flags,
        ...(duid !== undefined && { duid }),
        ...(this.options.version !== '5.6' && { iuid }),
      }))
    })
  }

  async setState(state: WritableState, group: number, uri: DestinationUri): Promise<void> {
    await this.write('setState', `${state} ${group} ${uri}`, () =>
      this.update(state, (entry) => entry.group === group && same(entry.uri, uri)),
    )
  }

  async setDuidState(state: WritableState, group: number, duid: string): Promise<void> {
    await this.write('setDuidState', `${state} ${group} ${duid}`, () =>
      this.update(state, (entry) => entry.group === group && same(entry.duid ?? '', duid)),
    )
  }

  async setGuard(uri: DestinationUri, held: boolean): Promise<'done' | 'no-guard'> {
    const answer = await this.write('setGuard', `${uri} ${held}`, () => {
      if (this.options.guard === false) return 'no-guard' as const
      if (held) this.held.add(uri)
      else this.held.delete(uri)
      return 'done' as const
    })
    return answer ?? 'done'
  }

  async readGuard(uri: DestinationUri): Promise<boolean | 'no-guard'> {
    return this.answer('readGuard', uri, () =>
      this.options.guard === false ? ('no-guard' as const) : this.held.has(uri),
    )
  }

  async reload(): Promise<void> {
    await this.answer('reload', '', () => {
      if (!this.dispatcher.reload(this.options.clock.now())) throw this.fault('busy', 'Ongoing reload')
    })
  }

  async boot(): Promise<{ bootTime: string; uptimeSeconds: number }> {
    return this.answer('boot', '', () => ({
      bootTime: ctime(this.bootedAt),
      uptimeSeconds: Math.floor((this.options.clock.now() - this.bootedAt) / 1000),
    }))
  }

  async version(): Promise<string> {
    return this.answer('version', '', () => 'kamailio in memory')
  }

  async count(of: CallsOf): Promise<CallCount> {
    return this.answer('count', [...of.uris, ...of.addresses].join(' '), () => {
      const profiles = this.options.profiles ?? ['dst', 'src']
      const outbound = profiles.includes('src') && of.addresses.some((address) => /^[\d.]+$|:/.test(address))
      if (this.misbehaviour.claimsCalls !== undefined)
        return { calls: this.misbehaviour.claimsCalls, source: 'profile' as const, outbound }
      if (profiles.includes('dst'))
        return { calls: this.callsUp(of).length, source: 'profile' as const, outbound }
      const load = this.entries().reduce((sum, e) => (of.uris.includes(e.uri) ? sum + e.load : sum), 0)
      if (this.options.load && load > 0) return { calls: load, source: 'load' as const, outbound: false }
      if (this.options.dialogs !== false && this.calls.size > 0) this.hasShownCalls = true
      else if (this.hasShownCalls) return { calls: 0, source: 'edge' as const, outbound: true }
      throw this.fault('unsupported', 'no call profile')
    })
  }

  async totalCalls(): Promise<number | undefined> {
    const profiles = this.options.profiles ?? ['dst', 'src']
    return this.answer('totalCalls', '', () => (profiles.length === 2 ? this.calls.size : undefined))
  }

  async endCalls(of: CallsOf, most: number): Promise<number> {
    const ended = await this.write('endCalls', `${[...of.uris, ...of.addresses].join(' ')} ${most}`, () => {
      if (!(this.options.profiles ?? ['dst']).includes('dst'))
        throw this.fault('unsupported', 'no call profile')
      const up = this.callsUp(of)
      if (up.length > 0 && this.options.endsCalls === false)
        throw this.fault('unsupported', 'its own policy refuses to end calls')
      const chosen = up.slice(0, most)
      for (const call of chosen) this.hangUp(call)
      return chosen.length
    })
    // deaf: it says that it ended them
    return ended ?? Math.min(most, this.callsUp(of).length)
  }

  // what a test does to it

  /** Replaces the dispatcher file, as an administrator would; it counts from the next reload or restart. */
  writeFile(file: readonly FileEntry[]): void {
    this.dispatcher.file = file
  }

  /** Every state, the guard's table and, unless it restores them, every call's dialog is forgotten. */
  restart(): void {
    this.bootedAt = this.options.clock.now()
    this.held.clear()
    this.hasShownCalls = false
    if (!this.restoresDialogs) this.calls.clear()
    this.dispatcher.restart(this.bootedAt)
  }

  /** Somebody else's reload: it is limited as ours is. */
  strangerReloads(): void {
    if (!this.dispatcher.reload(this.options.clock.now())) throw new Error('too early for another reload')
  }

  /** Somebody else's `set_state`. */
  strangerSets(state: WritableState, group: number, uri: string): void {
    this.update(state, (entry) => entry.group === group && same(entry.uri, uri))
  }

  /** An INVITE to a group: round robin over active and trying destinations that the guard does not hold. */
  invite(group: number): { readonly call: number; readonly uri: DestinationUri } | undefined {
    const routable = this.entries().filter(
      (e) =>
        e.group === group && /^[AT]/.test(e.flags) && !(this.options.guard !== false && this.held.has(e.uri)),
    )
    const entry = routable[this.turn++ % Math.max(routable.length, 1)]
    return entry && { call: this.begin({ dst: entry.uri, entry }), uri: entry.uri }
  }

  /** A call to a destination that is up already, whatever its state. @returns what {@link hangUp} takes */
  callTo(uri: string): number {
    const entry = this.entries().find((candidate) => same(candidate.uri, uri))
    return this.begin({ dst: uri, ...(entry && { entry }) })
  }

  /** A call that the media server at this address places through the edge. */
  callFrom(address: string): number {
    return this.begin({ src: address })
  }

  hangUp(call: number): void {
    const entry = this.calls.get(call)?.entry
    if (entry && entry.load > 0) entry.load -= 1
    this.calls.delete(call)
  }

  /** The calls that its profiles hold under any of these, as {@link hangUp} takes them. */
  callsUp(of: CallsOf): readonly number[] {
    const kept = this.options.profiles ?? ['dst', 'src']
    const isHeld = ({ dst, src }: Call) =>
      (kept.includes('dst') && of.uris.some((uri) => uri === dst)) ||
      (kept.includes('src') && of.addresses.some((address) => address === src))
    return [...this.calls].flatMap(([id, call]) => (isHeld(call) ? [id] : []))
  }

  /** What is true, whatever it answers. */
  truth(): {
    readonly calls: number
    readonly held: readonly string[]
    readonly entries: readonly ListedDestination[]
  } {
    return {
      calls: this.calls.size,
      held: [...this.held],
      entries: this.entries().map(({ group, uri, flags }) => ({ group, uri, flags })),
    }
  }

  private begin(call: Call): number {
    this.calls.set(++this.lastCall, call)
    if (call.entry) call.entry.load += 1
    return this.lastCall
  }

  private entries(): readonly Entry[] {
    return this.dispatcher.entries(this.options.clock.now())
  }

  private update(state: WritableState, matches: (entry: Entry) => boolean): void {
    if (!this.dispatcher.set(this.options.clock.now(), state, matches))
      throw this.fault('refused', 'State Update Failed')
  }

  private async write<T>(method: EdgeMethod, what: string, act: () => T): Promise<T | undefined> {
    return this.answer<T | undefined>(method, what, () => (this.misbehaviour.deafWrites ? undefined : act()))
  }

  private async answer<T>(method: EdgeMethod, what: string, act: () => T): Promise<T> {
    this.requests.push(`${method} ${what}`.trimEnd())
    return disturb(this.misbehaviour, method, {
      timeoutMs: this.options.rpcTimeoutMs ?? 3000,
      sleep: (ms) => this.options.clock.sleep(ms),
      fault: (fault, message) => this.fault(fault, message),
      act,
    })
  }

  private fault(fault: EdgeFault, message: string): EdgeError {
    return new EdgeError(this.id, fault, message)
  }
}

export type EdgeMethod = Exclude<keyof Edge, 'id' | 'restoresDialogs'>

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** C's ctime() in UTC, e.g. `Sun Nov  1 20:16:46 2026`. */
function ctime(epochMs: number): string {
  const [weekday = '', day = '', month, year, time] = new Date(epochMs).toUTCString().split(' ')
  return `${weekday.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`
}
