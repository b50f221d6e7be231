import {
  type DestinationUri,
  destinationUri,
  type ListedDestination,
  type WritableState,
} from '../../functions/control/destination.ts'
import type { CallsOf } from '../../functions/ports/edge.ts'
import { CallsMemory } from './calls-memory.ts'
import { ctime } from './ctime.ts'
import { DispatcherMemory, type Entry, type FileEntry } from './dispatcher-memory.ts'
import type { MemoryEdgeOptions } from './edge-options.ts'
import type { Misbehaviour } from './misbehaviour.ts'
import { MemoryRpcPort, RpcError, type RpcRequest } from './rpc-port.ts'

/**
 * A Kamailio in memory that behaves as the real one was measured to (6.1.5, 5.6.3), on the clock that it is
 * given: its dispatcher, its tables and its calls. The test reaches around its RPC through the public
 * methods.
 */
export class MemoryKamailio {
  protected readonly options: MemoryEdgeOptions
  protected readonly port: MemoryRpcPort
  private readonly dispatcher: DispatcherMemory
  private bootedAt: number
  private readonly held = new Map<string, number>()
  private readonly calls: CallsMemory
  private boots = 0
  private turn = 0

  constructor(options: MemoryEdgeOptions) {
    this.options = options
    const { clock, version = '6.1', rpcFile = 'ours', endsCalls = true } = options
    this.bootedAt = options.bootedAt ?? clock.now()
    this.calls = new CallsMemory(this.profiles())
    this.dispatcher = new DispatcherMemory({
      file: options.file,
      knowsNoPing: version !== '5.6',
      names: options.names,
      probingMode: options.probingMode,
      reloadTakesMs: options.reloadTakesMs ?? 0,
      reloadDeltaMs: (options.reloadDeltaSeconds ?? 5) * 1000,
      bootedAt: this.bootedAt,
    })
    this.port = new MemoryRpcPort(clock, options.rpcTimeoutMs ?? 3000, {
      rpcFile,
      endsCalls,
      bootId: () => `${Math.floor(this.bootedAt / 1000)}-${numberOf(options.id)}${this.boots}`,
      execute: (request) => this.execute(request),
    })
  }

  /** What goes wrong from now on. */
  get misbehaviour(): Misbehaviour {
    return this.port.misbehaviour
  }
  set misbehaviour(what: Misbehaviour) {
    this.port.misbehaviour = what
  }

  /** Every request that arrived here, in order, e.g. `dispatcher.set_state d 1 sip:10.0.0.1:5060`. */
  get requests(): readonly string[] {
    return this.port.requests
  }

  /** What arrived before is not among the requests any more. */
  forgetRequests(): void {
    this.port.requests.length = 0
  }

  /** HTTP requests that arrived here. */
  get posts(): number {
    return this.port.posts
  }

  /** The way to it, for another client than its own. */
  get transport(): MemoryRpcPort {
    return this.port
  }

  // what a test does to it

  /** Replaces the dispatcher file, as an administrator would; it counts from the next reload or restart. */
  writeFile(file: readonly FileEntry[]): void {
    this.dispatcher.file = file
  }

  /** Every state, the guard's table and, unless it restores them, every call's dialog is forgotten. */
  restart(): void {
    this.bootedAt = this.options.clock.now()
    this.boots += 1
    this.held.clear()
    this.calls.restart(this.options.restoresDialogs === true)
    this.port.forget()
    this.dispatcher.restart(this.bootedAt)
  }

  /** Somebody else's reload: it is limited as ours is. */
  strangerReloads(): void {
    if (!this.dispatcher.reload(this.options.clock.now())) throw new Error('too early for another reload')
  }

  /** Somebody else's `set_state`. */
  strangerSets(state: WritableState, set: number, uri: string): void {
    this.update(state, (entry) => entry.set === set && same(entry.uri, uri))
  }

  /** An INVITE to a set: round robin over active and trying destinations that the guard does not hold. */
  invite(set: number): { readonly call: number; readonly uri: DestinationUri } | undefined {
    const routable = this.entries().filter(
      (e) =>
        e.set === set && /^[AT]/.test(e.flags) && !(this.options.guard !== false && this.held.has(e.uri)),
    )
    const entry = routable[this.turn++ % Math.max(routable.length, 1)]
    const uri = entry && destinationUri(entry.uri)
    return entry && uri && { call: this.calls.begin({ dst: uri, entry }), uri }
  }

  /** A call to a destination that is up already, whatever its state. @returns what {@link hangUp} takes */
  callTo(uri: string): number {
    const entry = this.entries().find((candidate) => same(candidate.uri, uri))
    return this.calls.begin({ dst: uri, ...(entry && { entry }) })
  }

  /** A call whose script calls none of our routes: a dialog that no profile has. */
  callUncounted(): number {
    return this.calls.begin({})
  }

  /** A call that the media server at this address places through the edge. */
  callFrom(address: string): number {
    return this.calls.begin({ src: address })
  }

  /** The call is up, and its count has ended: an end answered 481 to keepalives. @throws if it is not up */
  reap(call: number): void {
    this.calls.reap(call)
  }

  isUp(call: number): boolean {
    return this.calls.isUp(call)
  }

  /** @throws if it is not up */
  hangUp(call: number): void {
    this.calls.hangUp(call)
  }

  /** The calls that its profiles hold under any of these, as {@link hangUp} takes them. */
  callsUp(of: CallsOf): readonly number[] {
    return this.calls.up(of)
  }

  /** What is true, whatever it answers. */
  truth(): {
    readonly calls: number
    readonly held: readonly string[]
    readonly entries: readonly ListedDestination[]
  } {
    return {
      calls: this.calls.size,
      held: [...this.held.keys()],
      entries: this.entries().flatMap(({ set, uri, flags }) => {
        const readable = destinationUri(uri)
        return readable ? [{ set, uri: readable, flags }] : []
      }),
    }
  }

  private entries(): readonly Entry[] {
    return this.dispatcher.entries(this.options.clock.now())
  }

  private update(state: WritableState, matches: (entry: Entry) => boolean): void {
    if (!this.dispatcher.set(this.options.clock.now(), state, matches))
      throw new RpcError(500, 'State Update Failed')
  }

  private execute({ method, params }: RpcRequest): unknown {
    const [first = '', second = '', third = ''] = params.map(String)
    switch (method) {
      case 'core.uptime':
        return this.uptime()
      case 'core.version':
        return `kamailio ${this.options.version ?? '6.1'} (in memory)`
      case 'dispatcher.list':
        return this.listed(first === 'full')
      case 'dispatcher.reload':
        if (!this.dispatcher.reload(this.options.clock.now())) throw new RpcError(500, 'Ongoing reload')
        return 'Ok. Dispatcher successfully reloaded.'
      case 'dispatcher.set_state':
        return this.updated(first, (entry) => entry.set === Number(second) && same(entry.uri, third))
      case 'dispatcher.set_duid_state':
        return this.updated(first, (entry) => entry.set === Number(second) && same(entry.duid ?? '', third))
      case 'dlg.stats_active':
        return { all: this.options.dialogs === false ? 0 : this.calls.size }
      case 'dlg.profile_get_size':
        return this.profileSize(first, params.length === 1 ? undefined : second)
      case 'dlg.profile_list':
        return this.profileMembers(first, second).map((call) => ({
          'call-id': String(call),
          state: 4,
          caller: { tag: 'caller' },
          callee: { tag: 'callee' },
        }))
      case 'dlg.terminate_dlg':
        if (!this.misbehaviour.deafWrites && this.isUp(Number(first))) this.hangUp(Number(first))
        return {}
      default:
        return this.table(method, first, second)
    }
  }

  private uptime() {
    const now = this.options.clock.now()
    const uptime = Math.floor((now - this.bootedAt) / 1000)
    return { now: ctime(now), up_since: ctime(this.bootedAt), uptime }
  }

  private listed(full: boolean) {
    const entries = this.entries()
    if (entries.length === 0) throw new RpcError(500, 'No Destination Sets')
    const dest = ({ uri, flags, iuid, duid, load, address }: Entry) => ({
      DEST: {
        URI: uri,
        FLAGS: this.misbehaviour.claimsFlags ?? flags,
        ...((this.options.version ?? '6.1') === '6.1' && { IUID: iuid }),
        ...(full && { IPADDR: address ?? '' }),
        ...(duid !== undefined && { ATTRS: { DUID: duid } }),
        ...(this.options.load && { RUNTIME: { DLGLOAD: load } }),
      },
    })
    const sets = [...Map.groupBy(entries, ({ set }) => set)]
    const records = sets.map(([ID, targets]) => ({ SET: { ID, TARGETS: targets.map(dest) } }))
    return { NRSETS: sets.length, RECORDS: records }
  }

  private updated(state: string, matches: (entry: Entry) => boolean): string {
    const known = states.find((writable) => writable === state.toLowerCase())
    if (known === undefined) throw new RpcError(500, 'Unknown State Value')
    if (!this.misbehaviour.deafWrites) this.update(known, matches)
    return 'Ok. Dispatcher state updated.'
  }

  private profileSize(profile: string, value: string | undefined): number {
    const members = this.profileMembers(profile, value)
    return value === undefined ? members.length : (this.misbehaviour.claimsCalls ?? members.length)
  }

  private profileMembers(profile: string, value: string | undefined): number[] {
    const members = this.calls.members(profile, value)
    if (members === undefined) throw new RpcError(404, `Profile not found: ${profile}`)
    return members
  }

  private profiles(): readonly ('dst' | 'src')[] {
    return this.options.profiles ?? ['dst', 'src']
  }

  private table(method: string, name: string, key: string): unknown {
    const found = this.tables()[name]
    if (found === undefined) throw new RpcError(500, 'No such htable')
    if (method === 'htable.dump')
      return [...found].map(([name, value], entry) => ({
        ...{ entry, size: 1 },
        slot: [{ name, value, type: 'int' }],
      }))
    const value = found.get(key)
    if (method === 'htable.get' && value === undefined)
      throw new RpcError(500, "Key name doesn't exist in htable.")
    if (method === 'htable.get') return { item: { name: key, value, flags: 0, expire: 'NEVER' } }
    if (method === 'htable.delete' && !this.held.has(key)) throw new RpcError(404, 'Key not found in htable.')
    if (!this.misbehaviour.deafWrites && method === 'htable.seti') this.held.set(key, 1)
    if (!this.misbehaviour.deafWrites && method === 'htable.delete') this.held.delete(key)
    return method === 'htable.seti' ? 'Ok. Key set to new value.' : 'Ok. Key deleted.'
  }

  private tables(): Readonly<Record<string, ReadonlyMap<string, string | number>>> {
    const { guard = true, rpcFile = 'ours', counters = this.profiles().length > 0 } = this.options
    const { endsCalls = true, keepalives = false } = this.options
    const about = `version=1;now=${Math.floor(this.options.clock.now() / 1000)};end_calls=${endsCalls ? 1 : 0};keepalives=${keepalives ? 1 : 0};longest_call=`
    return {
      ...(guard && { held: this.held }),
      ...(counters && { begun: this.calls.begun }),
      ...(rpcFile === 'ours' && { dc: new Map([['about', about]]) }),
    }
  }
}

const states: readonly WritableState[] = ['a', 'ap', 'i', 'ip', 'd', 'dp', 't', 'tp']

/** No two edges have the same boot id, also where they boot in the same second. */
function numberOf(id: string): number {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_000, 7)
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
