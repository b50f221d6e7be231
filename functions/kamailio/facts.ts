import * as z from 'zod'
import type { EdgeFacts } from '../control/edge-facts.ts'
import { EdgeError } from '../control/errors.ts'
import { activeDialogs, begunCounter, hasNoCounters, isMissing, isNoKey, profileSize } from './calls.ts'
import { guardRead, guardShown } from './guard.ts'
import type { JsonRpc } from './json-rpc.ts'
import type { RpcAnswer } from './rpc-steps.ts'
import { uptime } from './uptime.ts'

/** A key that nobody sets: its absence shows that the guard's table is there. */
const guardProbe = 'sip:guard-probe.invalid'

/**
 * What our rpc.cfg answers about itself and of settings.cfg, e.g.
 * `version=1;now=1795724058;end_calls=0;keepalives=0;longest_call=43200`. Keys that we do not know are
 * left alone.
 */
const about = z.object({ item: z.object({ value: z.string() }) }).transform(({ item }) => {
  const pairs = item.value
    .split(';')
    .map((pair) => [pair.split('=', 1)[0] ?? '', pair.replace(/^[^=]*=?/, '')])
  return Object.fromEntries(pairs) as Readonly<Record<string, string | undefined>>
})

const ofEveryEdge = [
  { method: 'core.uptime', params: [], result: uptime },
  { method: 'core.version', params: [], result: z.string() },
  { method: 'dlg.stats_active', params: [], result: activeDialogs },
  profileSize('dst'),
  profileSize('src'),
  guardRead(guardProbe),
] as const
const ofOurFiles = [
  begunCounter('total'),
  begunCounter('total:dst'),
  { method: 'htable.get', params: ['dc', 'about'], result: about },
] as const
type OfOurFiles = readonly [RpcAnswer<number>, RpcAnswer<number>, RpcAnswer<z.output<typeof about>>]

async function allTogether(rpc: JsonRpc) {
  const [up, version, dialogs, dst, src, probe, begun, begunTo, ofEdge] = await rpc.batch([
    ...ofEveryEdge,
    ...ofOurFiles,
  ])
  return [
    [up, version, dialogs, dst, src, probe],
    [begun, begunTo, ofEdge],
  ] as const
}

/**
 * What the edge is and can do.
 * @param now epoch ms
 * @throws EdgeError when something that every Kamailio has can't be read
 */
export async function readFacts(rpc: JsonRpc, now: () => number): Promise<EdgeFacts> {
  const asked = now()
  // An edge that is known to have none of our files would log what is asked of them as requests that it
  // refused.
  const [[up, version, dialogs, dst, src, probe], ours] =
    typeof rpc.boot() === 'string'
      ? await allTogether(rpc)
      : await Promise.all([rpc.batch(ofEveryEdge), rpc.boot() === null ? undefined : rpc.batch(ofOurFiles)])
  // It may have got them just now.
  const ofOurs = ours ?? (rpc.boot() === null ? undefined : await rpc.batch(ofOurFiles))
  const answered = now()
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
    ...(ofOurs ? factsOfOurFiles(rpc, ofOurs, (asked + answered) / 2000) : without),
  }
}

type OurFacts = Pick<EdgeFacts, 'batch' | 'fence' | 'counters'> & Partial<EdgeFacts>
const without: OurFacts = { batch: false, fence: false, counters: false }

/** @param seconds epoch seconds of its answer, about */
function factsOfOurFiles(rpc: JsonRpc, [begun, begunTo, ofEdge]: OfOurFiles, seconds: number): OurFacts {
  const begunCalls = counted(begun)
  const ours = resultOr(ofEdge, hasNoCounters) ?? {}
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
