import * as z from 'zod'
import { canonicalHost, type DestinationUri } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import type { CallCount } from '../control/round.ts'
import type { ListedTarget } from './dispatcher-list.ts'
import type { JsonRpc } from './json-rpc.ts'
import { RpcRefusal } from './rpc-faults.ts'

export interface CallSources {
  readonly edge: string
  readonly rpc: JsonRpc
  targets(): Promise<readonly ListedTarget[]>
}

const size = z.int().min(0)
/** `{"starting":0,"connecting":0,"answering":0,"ongoing":4,"all":4}` */
const active = z.object({ all: size })

/**
 * Calls to any of the URIs and from any of the addresses, early and confirmed. Sources, in this order:
 * 1. the dialog profiles: `dst` for each URI and, where the edge keeps it, `src` for each address
 * 2. without `dst`, DLGLOAD of the URIs when above 0: after a reload it says 0 with live calls, so 0 is not an answer
 * 3. `dlg.stats_active` when the whole edge carries no call
 * What is missing is asked for each time, so that an edge which gets the profiles is counted right at once.
 * @throws EdgeError `unsupported` when none of them can say
 */
export async function countCalls(
  sources: CallSources,
  of: { readonly uris: readonly DestinationUri[]; readonly addresses: readonly string[] },
): Promise<CallCount> {
  const addresses = of.addresses.flatMap((address) => sourceAddress(address) ?? [])
  const [to, from] = await Promise.all([
    profileSize(sources.rpc, 'dst', of.uris),
    profileSize(sources.rpc, 'src', addresses),
  ])
  const outbound = from !== undefined && addresses.length > 0
  if (to !== undefined) return { calls: to + (from ?? 0), source: 'profile', outbound }

  const load = await loadOf(sources, of.uris)
  if (load > 0) return { calls: load, source: 'load', outbound: false }
  if ((await totalOf(sources.rpc)) === 0) return { calls: 0, source: 'edge', outbound: true }
  throw new EdgeError(
    sources.edge,
    'unsupported',
    'it has no dialog profile "dst", DLGLOAD shows no call and the edge carries some or does not say: ' +
      "include kamailio/call-profiles.cfg in the edge's kamailio.cfg",
  )
}

/**
 * An address as Kamailio writes `$si`: IPv6 in full, e.g. `2001:db8:0:0:0:0:0:20`. @returns undefined for a DNS name, from which
 * no call comes: asked for, it would count 0.
 */
function sourceAddress(address: string): string | undefined {
  const host = canonicalHost(address)
  if (host === undefined || /^[\d.]+$/.test(host)) return host
  if (!host.includes(':')) return undefined
  const [head = [], tail = []] = host.split('::').map((half) => half.split(':').filter(Boolean))
  return [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail].join(':')
}

/** @returns the sum over the values, or undefined when the edge does not keep this profile. */
async function profileSize(
  rpc: JsonRpc,
  profile: 'dst' | 'src',
  values: readonly string[],
): Promise<number | undefined> {
  const sizes = await Promise.all(
    [...new Set(values)].map((value) =>
      unlessMissing(
        rpc.call('dlg.profile_get_size', [profile, value], size),
        `Profile not found: ${profile}`,
      ),
    ),
  )
  return sizes.reduce(
    (sum: number | undefined, next) => (sum === undefined || next === undefined ? undefined : sum + next),
    0,
  )
}

async function loadOf(sources: CallSources, uris: readonly DestinationUri[]): Promise<number> {
  const targets = await sources.targets()
  return targets.reduce(
    (sum, { destination, load = 0 }) => (uris.includes(destination.uri) ? sum + load : sum),
    0,
  )
}

/** @returns dialogs of the whole edge in any state, or undefined without the dialog module. */
async function totalOf(rpc: JsonRpc): Promise<number | undefined> {
  return (await unlessMissing(rpc.call('dlg.stats_active', [], active)))?.all
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
