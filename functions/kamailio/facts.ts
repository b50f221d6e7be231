import * as z from 'zod'
import type { EdgeFacts } from '../control/edge-facts.ts'
import { EdgeError } from '../control/errors.ts'
import { activeDialogs, begunCounter, hasNoCounters, isMissing, isNoKey, profileSize } from './calls.ts'
import { guardRead, guardShown } from './guard.ts'
import type { RpcAnswer } from './in-turn.ts'
import type { JsonRpc } from './json-rpc.ts'

/** `{"now":"Sun Nov 22 20:16:50 2026","up_since":"Sun Nov 22 20:16:46 2026","uptime":4}` */
export const uptime = z.object({ up_since: z.string().min(1), uptime: z.int().min(0) })

/** A key that nobody sets: its absence shows that the guard's table is there. */
const guardProbe = 'sip:guard-probe.invalid'

/**
 * What our rpc.cfg says of itself and of settings.cfg, e.g. `version=1;now=1795724058;end_calls=0;keepalives=0;longest_call=43200`.
 * Keys that are not known here are left alone.
 */
const about = z.object({ item: z.object({ value: z.string() }) }).transform(({ item }) => {
  const pairs = item.value
    .split(';')
    .map((pair) => [pair.split('=', 1)[0] ?? '', pair.replace(/^[^=]*=?/, '')])
  return Object.fromEntries(pairs) as Readonly<Record<string, string | undefined>>
})

/**
 * What the edge is and can do.
 * @param now epoch ms
 * @throws EdgeError when something that every Kamailio has can't be read
 */
export async function readFacts(rpc: JsonRpc, now: () => number): Promise<EdgeFacts> {
  const [[up, version, dialogs, dst, src, probe], ours] = await Promise.all([
    rpc.batch([
      { method: 'core.uptime', params: [], result: uptime },
      { method: 'core.version', params: [], result: z.string() },
      { method: 'dlg.stats_active', params: [], result: activeDialogs },
      profileSize('dst'),
      profileSize('src'),
      guardRead(guardProbe),
    ]),
    // An edge that is known to have none of our files would log each as a request that it refused.
    rpc.boot() === null ? undefined : factsOfOurFiles(rpc, now),
  ])
  const { up_since: bootTime, uptime: uptimeSeconds } = resultOr(up)
  const total = resultOr(dialogs, isMissing)
  const sizes = { dst: resultOr(dst, isMissing), src: resultOr(src, isMissing) }
  const guard = guardShown(probe)
  if (guard instanceof EdgeError) throw guard
  return {
    version: resultOr(version).trim(),
    bootTime,
    uptimeSeconds,
    profiles: (['dst', 'src'] as const).filter((profile) => sizes[profile] !== undefined),
    ...(total && { dialogs: total.all }),
    ...(sizes.dst !== undefined && { callsTo: sizes.dst }),
    ...(sizes.src !== undefined && { callsFrom: sizes.src }),
    guard: guard !== 'no-guard',
    ...(ours ?? (rpc.boot() === null ? without : await factsOfOurFiles(rpc, now))),
  }
}

type OurFacts = Pick<EdgeFacts, 'batch' | 'fence' | 'counters'> & Partial<EdgeFacts>
const without: OurFacts = { batch: false, fence: false, counters: false }

async function factsOfOurFiles(rpc: JsonRpc, now: () => number): Promise<OurFacts> {
  const asked = now()
  const [begun, begunTo, told] = await rpc.batch([
    begunCounter('total'),
    begunCounter('total:dst'),
    { method: 'htable.get', params: ['dc', 'about'], result: about },
  ])
  const seconds = (asked + now()) / 2000
  const begunCalls = counted(begun)
  const ours = resultOr(told, hasNoCounters) ?? {}
  const bootId = rpc.boot() ?? undefined
  const clock = Number(ours['now'])
  const longest = Number(ours['longest_call'])
  return {
    ...(bootId !== undefined && { bootId }),
    batch: bootId !== undefined,
    fence: bootId !== undefined,
    counters: begunCalls !== undefined,
    ...(begunCalls !== undefined && { begun: begunCalls, begunTo: counted(begunTo) ?? 0 }),
    ...(longest > 0 && { longestCallSeconds: longest }),
    ...(ours['end_calls'] && { endsCalls: ours['end_calls'] === '1' }),
    ...(ours['keepalives'] && { keepalives: ours['keepalives'] === '1' }),
    ...(clock > 0 && { clockDifferenceSeconds: Math.round(clock - seconds) }),
    ...(ours['sip_error'] && { configurationError: ours['sip_error'] }),
  }
}

/** @returns undefined where the edge keeps no counters */
function counted(answer: RpcAnswer<number>): number | undefined {
  return 'error' in answer && isNoKey(answer.error) ? 0 : resultOr(answer, hasNoCounters)
}

/** @returns the result; undefined where the error `means` that there is none. Other errors are thrown. */
function resultOr<T>(answer: RpcAnswer<T>): T
function resultOr<T>(answer: RpcAnswer<T>, means: (error: EdgeError) => boolean): T | undefined
function resultOr<T>(
  answer: RpcAnswer<T>,
  means: (error: EdgeError) => boolean = () => false,
): T | undefined {
  if ('result' in answer) return answer.result
  if (means(answer.error)) return undefined
  throw answer.error
}
