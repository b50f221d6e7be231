import * as z from 'zod'
import { canonicalHost, type DestinationUri } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import type { Edge } from '../use-cases/ports.ts'
import type { ListedTarget } from './dispatcher-list.ts'
import type { JsonRpc } from './json-rpc.ts'
import { RpcRefusal } from './rpc-faults.ts'

export interface CallSources {
  readonly edge: string
  readonly rpc: JsonRpc
  targets(): Promise<readonly ListedTarget[]>
  /** `up_since`, verbatim */
  bootTime(): Promise<string>
}

const size = z.int().min(0)
/** `{"starting":0,"connecting":0,"answering":0,"ongoing":4,"all":4}` */
const active = z.object({ all: size })

/**
 * Counts calls to any of the URIs and from any of the addresses, early and confirmed. Sources, in this order:
 * 1. the dialog profiles: `dst` for each URI and, where the edge keeps it, `src` for each address
 * 2. without `dst`, DLGLOAD of the URIs when above 0: after a reload it says 0 with live calls, so 0 is not an answer
 * 3. `dlg.stats_active` when the whole edge carries no call, and has been seen here with calls since it was started: a script
 *    that loads the dialog module and tracks no call says 0 for ever
 *
 * What is missing is asked for each time, so that an edge which gets the profiles is counted right at once.
 * The counter throws EdgeError `unsupported` when none of them can say.
 */
export function createCallCounter(sources: CallSources): Edge['count'] {
  const { edge, rpc } = sources
  let tracksSince: string | undefined

  async function edgeIsEmpty(): Promise<boolean> {
    const total = await unlessMissing(rpc.call('dlg.stats_active', [], active))
    if (total === undefined) return false
    const bootTime = await sources.bootTime()
    if (total.all > 0) tracksSince = bootTime
    return total.all === 0 && tracksSince === bootTime
  }

  return async (of) => {
    const addresses = of.addresses.flatMap(sourceSpellings)
    const [to, from] = await Promise.all([
      profileSizes(rpc, 'dst', of.uris),
      profileSizes(rpc, 'src', addresses),
    ])
    const outbound = from !== undefined && addresses.length > 0
    if (to !== undefined)
      return { calls: sum([...to, ...(from ?? [])].map(({ calls }) => calls)), source: 'profile', outbound }

    const load = loadOf(await sources.targets(), of.uris)
    if (load > 0) return { calls: load, source: 'load', outbound: false }
    if (await edgeIsEmpty()) return { calls: 0, source: 'edge', outbound: true }
    throw new EdgeError(
      edge,
      'unsupported',
      'calls can not be counted: it has no dialog profile "dst", and neither DLGLOAD nor the total of all dialogs ' +
        "can stand in for it. Include kamailio/call-profiles.cfg in the edge's kamailio.cfg",
    )
  }
}

/** @returns all calls in both profiles, undefined where the edge does not keep both or its policy refuses the question. */
export async function totalCalls(rpc: JsonRpc): Promise<number | undefined> {
  const total = (profile: 'dst' | 'src') =>
    unlessMissing(rpc.call('dlg.profile_get_size', [profile], size), `Profile not found: ${profile}`)
  const [to, from] = await Promise.all([total('dst'), total('src')])
  return to === undefined || from === undefined ? undefined : to + from
}

/**
 * An address as Kamailio may write `$si`: IPv6 by the core parameter `ipv6_hex_style` as `2001:db8::a` (default `c`),
 * `2001:db8:0:0:0:0:0:a` or `2001:DB8:0:0:0:0:0:A`; a call is counted under one of them. None for a DNS name, from which no call
 * comes: asked for, it would count 0.
 */
export function sourceSpellings(address: string): readonly string[] {
  const host = canonicalHost(address)
  if (host === undefined) return []
  if (!host.includes(':')) return /^[\d.]+$/.test(host) ? [host] : []
  const [head = [], tail = []] = host.split('::').map((half) => half.split(':').filter(Boolean))
  const full = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail].join(':')
  return [host, full, full.toUpperCase()]
}

/** @returns the calls under each of the values, or undefined when the edge does not keep this profile. */
export async function profileSizes(
  rpc: JsonRpc,
  profile: 'dst' | 'src',
  values: readonly string[],
): Promise<readonly { profile: 'dst' | 'src'; value: string; calls: number }[] | undefined> {
  const missing = `Profile not found: ${profile}`
  const asked = [...new Set(values)].map(async (value) => {
    const calls = await unlessMissing(rpc.call('dlg.profile_get_size', [profile, value], size), missing)
    return calls === undefined ? undefined : { profile, value, calls }
  })
  const sizes = await Promise.all(asked)
  const kept = sizes.filter((found) => found !== undefined)
  return kept.length === sizes.length ? kept : undefined
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0)
}

function loadOf(targets: readonly ListedTarget[], uris: readonly DestinationUri[]): number {
  const ours = targets.filter((target) => uris.includes(target.destination.uri))
  return sum(ours.map(({ load = 0 }) => load))
}

async function unlessMissing<T>(asked: Promise<T>, reason?: string): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const profileMissing = error instanceof RpcRefusal && error.reason === reason
    if (profileMissing || (error instanceof EdgeError && error.fault === 'unsupported')) return undefined
    throw error
  }
}
