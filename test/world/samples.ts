import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { type DestinationUri, destinationUri } from '../../functions/control/destination.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import { eventBody } from '../contracts/event-files.ts'
import type { FileEntry } from '../memory/dispatcher-memory.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { some } from '../present.ts'

export const instanceId = 'i-1234567890abcdef0'
export const server = 'sip:10.0.1.20:5060'
export const neighbour = 'sip:10.0.1.21:5060'
export const drainId = `lifecycle/${instanceId}/drain-calls`
/** The IAM user who sends commands. */
export const alice = 'AIDAJQABLZS4A3QDU576Q'
export const seconds = 1000
export const minutes = 60_000
export const hours = 3_600_000

/** The server stands in two sets, next to a neighbour that must never be touched. */
export const file: readonly FileEntry[] = [
  { set: 1, uri: server, flags: 'AP' },
  { set: 1, uri: neighbour, flags: 'AP' },
  { set: 2, uri: server, flags: 'IP' },
  { set: 2, uri: neighbour, flags: 'AX' },
]

export const config: ControlConfigInput = {
  groups: [
    {
      name: 'media-servers',
      terminateHook: 'drain-calls',
      launchHook: 'admit-calls',
      heartbeatTimeoutSeconds: 300,
      drainDeadlineSeconds: 3600,
      deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' },
    },
  ],
  alarms: [{ name: 'media-server-cpu' }, { name: 'media-server-disk' }],
  timers: { failoverWindowSeconds: 10, longestCallSeconds: 7200 },
}

export function facts(changes: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    instanceId,
    launchedAt: Date.UTC(2026, 10, 20),
    state: 'running',
    addresses: ['10.0.1.20'],
    taggedDestinations: [],
    group: 'media-servers',
    ...changes,
  }
}

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
