import * as z from 'zod'
import { canonicalHost, type DestinationUri, destinationUri } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import type { CallCount } from '../control/reading.ts'
import type { CallsOf, Edge } from '../ports/edge.ts'
import type { ListedTarget } from './dispatcher-list.ts'
import type { JsonRpc, RpcCall } from './json-rpc.ts'
import { noSuchKey, noSuchTable, RpcRefusal, unless } from './rpc-faults.ts'
import type { RpcAnswer } from './rpc-steps.ts'
import { uptime } from './uptime.ts'

export interface CallSources {
  readonly edge: string
  readonly rpc: JsonRpc
  targets(): Promise<readonly ListedTarget[]>
  /** `up_since`, verbatim */
  bootTime(): Promise<string>
  /** whether the begun counters are worth asking for: false where they are known to be missing */
  hasCounters(): boolean
  /** told when an answer shows that they are missing */
  noCounters(): void
  /** whether the edge ends counts by keepalives, and so counts those that it has no proof for */
  hasKeepalives(): boolean
}

const size = z.int().min(0)
/** `{"starting":0,"connecting":0,"answering":0,"ongoing":4,"all":4}` */
export const activeDialogs = z.object({ all: size })
/** `{"item":{"name":"sip:10.0.1.20:5060","value":7,"flags":0,"expire":"NEVER"}}` */
const counter = z.object({ item: z.object({ value: size }) }).transform(({ item }) => item.value)

/** The profile that counts calls to a URI (`dst`) or from an address (`src`). Without a value: all of it. */
export function profileSize(profile: 'dst' | 'src', value?: string): RpcCall<number> {
  const params = value === undefined ? [profile] : [profile, value]
  return { method: 'dlg.profile_get_size', params, result: size }
}

/** How many calls ever began under a key since the edge's boot: a URI, a source address, or `total`. */
export function begunCounter(key: string): RpcCall<number> {
  return { method: 'htable.get', params: ['begun', key], result: counter }
}

/** `[{"entry":818,"size":1,"slot":[{"name":"sip:10.0.1.20:5060","value":2,"type":"int"}]}]` */
const counters = z.array(z.object({ slot: z.array(z.object({ name: z.string() })) }))

/** @returns the URIs among the keys of the begun counters; undefined where the edge does not answer this */
export async function begunUris(rpc: JsonRpc): Promise<readonly DestinationUri[] | undefined> {
  const all = await unless(
    hasNoCounters,
    rpc.call({ method: 'htable.dump', params: ['begun'], result: counters }),
  )
  return all?.flatMap(({ slot }) => slot.flatMap(({ name }) => destinationUri(name) ?? []))
}

/**
 * Counts calls of several subjects, early and confirmed: those to any of the URIs and from any of the
 * addresses. Sources, in this order:
 * 1. the dialog profiles: `dst` for each URI and, where the edge keeps it, `src` for each address
 * 2. without `dst`, DLGLOAD of the URIs when above 0: after a reload it shows 0 with live calls, so 0 is not
 *   an answer
 * 3. `dlg.stats_active` when the whole edge carries no call, and has been seen here with calls since it was
 *   started: a script that loads the dialog module and tracks no call shows 0 for ever
 *
 * A profile that is missing is asked for each time, so that an edge which gets it is counted right at once;
 * counters are not, until the edge's next boot. The begun counters are read before the profiles: a call that
 * begins in between is in the later reading's counters at least. What keepalives have ended is read after
 * them, since the edge raises that counter before the profile falls.
 * @returns for each subject its count, or `unsupported` when no source can tell
 */
export function createCallCounter(sources: CallSources): Pick<Edge, 'count' | 'countAndBoot'> {
  const { edge, rpc } = sources
  let tracksSince: string | undefined

  async function edgeIsEmpty(): Promise<boolean> {
    const total = await unless(
      isMissing,
      rpc.call({ method: 'dlg.stats_active', params: [], result: activeDialogs }),
    )
    if (total === undefined) return false
    const bootTime = await sources.bootTime()
    if (total.all > 0) tracksSince = bootTime
    return total.all === 0 && tracksSince === bootTime
  }

  async function byWeakerMeans(
    { uris }: CallsOf,
    targets: () => Promise<readonly ListedTarget[]>,
  ): Promise<CallCount> {
    const load = loadOf(await targets(), uris)
    if (load > 0) return { calls: load, source: 'load', outbound: false }
    if (await edgeIsEmpty()) return { calls: 0, source: 'edge', outbound: true }
    throw new EdgeError(
      edge,
      'unsupported',
      'calls can not be counted: it has no dialog profile "dst", and neither DLGLOAD nor the total of all dialogs ' +
        "can stand in for it. Include kamailio/call-profiles.cfg in the edge's kamailio.cfg",
    )
  }

  /** @returns also when it booted, where that was to be `last` and nothing was asked after it */
  async function counted(
    subjects: readonly CallsOf[],
    ending: readonly RpcCall<{ up_since: string }>[],
  ): Promise<{ counts: (CallCount | EdgeError)[]; last: RpcAnswer<{ up_since: string }> | undefined }> {
    const asked = new Questions(sources.hasCounters(), sources.hasKeepalives())
    for (const subject of subjects) asked.add(subject)
    const calls = asked.calls()
    const given = await rpc.batch<readonly unknown[]>([...calls, ...ending])
    const answers = asked.answeredBy(given.slice(0, calls.length) as RpcAnswer<number>[])
    if (answers.lackCounters()) sources.noCounters()
    let listed: Promise<readonly ListedTarget[]> | undefined
    const targets = () => (listed ??= sources.targets())
    let last = given[calls.length] as RpcAnswer<{ up_since: string }> | undefined
    const counts = await Promise.all(
      subjects.map(async (subject) => {
        try {
          const count = answers.count(subject)
          if (count !== undefined) return count
          last = undefined
          return await byWeakerMeans(subject, targets)
        } catch (error) {
          if (error instanceof EdgeError) return error
          throw error
        }
      }),
    )
    return { counts, last }
  }

  return {
    count: async (subjects) => (await counted(subjects, [])).counts,
    countAndBoot: async (subjects) => {
      const { counts, last } = await counted(subjects, [bootedAt])
      if (last && 'error' in last) throw last.error
      return { counts, bootTime: last?.result.up_since ?? (await sources.bootTime()) }
    },
  }
}

const bootedAt: RpcCall<{ up_since: string }> = { method: 'core.uptime', params: [], result: uptime }

/**
 * Of the calls that keepalives have ended: those that are known to be of nobody, since their variables were
 * lost over a restart.
 */
const ofNobody = 'unknown'

/** What is asked for some subjects, each once: two of them may share an address. */
class Questions {
  private readonly begun = new Set<string>()
  private readonly sizes = new Map<string, RpcCall<number>>()
  private readonly reaped = new Set<string>()
  private readonly counters: boolean
  private readonly keepalives: boolean

  constructor(counters: boolean, keepalives: boolean) {
    this.counters = counters
    this.keepalives = keepalives
  }

  add({ uris, addresses }: CallsOf): void {
    const spelled = addresses.flatMap(sourceSpellings)
    for (const uri of uris) this.sizes.set(`dst ${uri}`, profileSize('dst', uri))
    for (const address of spelled) this.sizes.set(`src ${address}`, profileSize('src', address))
    if (this.counters) for (const key of [...uris, ...spelled]) this.begun.add(key)
    if (this.keepalives) for (const key of [...uris, ...spelled, ofNobody]) this.reaped.add(key)
  }

  calls(): RpcCall<number>[] {
    const reaped = [...this.reaped].map((key) => begunCounter(`reaped:${key}`))
    return [...[...this.begun].map(begunCounter), ...this.sizes.values(), ...reaped]
  }

  /** @param given one for each of `calls()` */
  answeredBy(given: readonly RpcAnswer<number>[]): Answers {
    const reaped = [...this.reaped].map((key) => `reaped ${key}`)
    const keys = [...[...this.begun].map((key) => `begun ${key}`), ...this.sizes.keys(), ...reaped]
    return new Answers(new Map(given.map((answer, index) => [keys[index] ?? '', answer] as const)))
  }
}

class Answers {
  private readonly byKey: ReadonlyMap<string, RpcAnswer<number>>

  constructor(byKey: ReadonlyMap<string, RpcAnswer<number>>) {
    this.byKey = byKey
  }

  /**
   * @returns undefined where the edge keeps no profile `dst`. Throws what keeps the answer from being known.
   */
  count({ uris, addresses }: CallsOf): CallCount | undefined {
    const spelled = addresses.flatMap(sourceSpellings)
    const to = this.all(uris, 'dst', isMissing)
    const from = this.all(spelled, 'src', isMissing)
    const begun = this.all([...uris, ...spelled], 'begun', hasNoCounters)
    const reaped = this.all([...uris, ...spelled, ofNobody], 'reaped', hasNoCounters)
    if (to === undefined) return undefined
    return {
      calls: sum([...to, ...(from ?? [])]),
      source: 'profile',
      outbound: from !== undefined && from.length > 0,
      ...(begun !== undefined && begun.length > 0 && { begun: sum(begun) }),
      ...(reaped !== undefined && { reaped: sum(reaped) }),
    }
  }

  lackCounters(): boolean {
    return [...this.byKey].some(
      ([key, answer]) => key.startsWith('begun ') && 'error' in answer && hasNoCounters(answer.error),
    )
  }

  /** @returns the numbers under each of the values; undefined where the edge keeps none of this kind */
  private all(
    values: readonly string[],
    kind: 'dst' | 'src' | 'begun' | 'reaped',
    missing: (error: EdgeError) => boolean,
  ): readonly number[] | undefined {
    const numbers = [...new Set(values)].map((value) => {
      const answer = this.byKey.get(`${kind} ${value}`)
      if (answer === undefined) return undefined
      if ('result' in answer) return answer.result
      if ((kind === 'begun' || kind === 'reaped') && isNoKey(answer.error)) return 0
      if (missing(answer.error)) return undefined
      throw answer.error
    })
    const known = numbers.filter((number) => number !== undefined)
    return known.length === numbers.length ? known : undefined
  }
}

/** @returns the calls under each of the values, or undefined when the edge does not keep this profile. */
export async function profileSizes(
  rpc: JsonRpc,
  profile: 'dst' | 'src',
  values: readonly string[],
): Promise<readonly { profile: 'dst' | 'src'; value: string; calls: number }[] | undefined> {
  const distinct = [...new Set(values)]
  const answers = await rpc.batch(distinct.map((value) => profileSize(profile, value)))
  const sizes = answers.flatMap((answer, index) => {
    if ('result' in answer) return [{ profile, value: distinct[index] ?? '', calls: answer.result }]
    if (isMissing(answer.error)) return []
    throw answer.error
  })
  return sizes.length === distinct.length ? sizes : undefined
}

/** The edge keeps no such profile, or its policy refuses the question. */
export function isMissing(error: EdgeError): boolean {
  return (
    error.fault === 'unsupported' ||
    (error instanceof RpcRefusal && error.reason.startsWith('Profile not found'))
  )
}

/** A key that was never counted; an answer that the counters are there. */
export function isNoKey(error: EdgeError): boolean {
  return error instanceof RpcRefusal && error.reason === noSuchKey
}

/** The edge has no counters, no htable at all, or a policy that does not know them. */
export function hasNoCounters(error: EdgeError): boolean {
  return error.fault === 'unsupported' || (error instanceof RpcRefusal && error.reason === noSuchTable)
}

/**
 * An address as Kamailio may write `$si`: IPv6 by the core parameter `ipv6_hex_style` as `2001:db8::a`
 * (default `c`), `2001:db8:0:0:0:0:0:a` or `2001:DB8:0:0:0:0:0:A`; a call is counted under one of them. None
 * for a DNS name, from which no call comes: asked for, it would count 0.
 */
export function sourceSpellings(address: string): readonly string[] {
  const host = canonicalHost(address)
  if (host === undefined) return []
  if (!host.includes(':')) return /^[\d.]+$/.test(host) ? [host] : []
  const [head = [], tail = []] = host.split('::').map((half) => half.split(':').filter(Boolean))
  const full = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail].join(':')
  return [host, full, full.toUpperCase()]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0)
}

function loadOf(targets: readonly ListedTarget[], uris: readonly DestinationUri[]): number {
  const ours = targets.filter((target) => uris.includes(target.destination.uri))
  return sum(ours.map(({ load = 0 }) => load))
}
