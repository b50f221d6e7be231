import { type DestinationUri, destinationUri } from '../../functions/control/destination.ts'
import { eventBody } from '../contracts/event-files.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { some } from '../present.ts'

/** Whether a request to an edge sets a state or the guard. */
export function isWrite(request: string): boolean {
  return /^(dispatcher\.set|htable\.(seti|delete))/.test(request)
}

export function command(name: string, changes: Readonly<Record<string, unknown>> = {}): object {
  return { ...JSON.parse(eventBody(name)), ...changes }
}

export function verbatim(text: string): DestinationUri {
  const uri = destinationUri(text)
  if (!uri) throw new Error(`${text} is no SIP URI`)
  return uri
}

/** One that comes within Kamailio's reload_delta does nothing. */
export function reloadedByStranger(edge: MemoryEdge): void {
  try {
    edge.strangerReloads()
  } catch (error) {
    if (!String(error).includes('too early for another reload')) throw error
  }
}

/** How far apart: the expectations of it would hold of fewer than two. */
export function gapsOf(times: readonly number[]): readonly number[] {
  return some(times.slice(1).map((at, index) => at - (times[index] ?? 0)))
}

/** The same in every set of both edges. */
export function everywhere(one: string, two = one) {
  return { 'edge-a/1': one, 'edge-a/2': two, 'edge-b/1': one, 'edge-b/2': two }
}
