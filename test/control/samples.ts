import {
  type DestinationUri,
  destinationUri,
  type Flags,
  type ListedDestination,
} from '../../functions/control/destination.ts'
import type { Hold } from '../../functions/control/hold.ts'

export function uri(text: string): DestinationUri {
  const made = destinationUri(text)
  if (!made) throw new Error(`not a SIP URI: ${text}`)
  return made
}

/** One entry as an edge lists it. */
export function listed(
  text: string,
  more: { set?: number; flags?: Flags; duid?: string; iuid?: string } = {},
): ListedDestination {
  return { set: 1, flags: 'AX', ...more, uri: uri(text) }
}

export const machine = {
  instanceId: 'i-0123456789abcdef0',
  address: '10.0.1.20',
  uri: uri('sip:10.0.1.20:5060'),
}

/** A hold on exactly its URIs; on the whole instance with `wholeInstance`. */
export function hold(changes: Partial<Hold> = {}): Hold {
  return {
    source: 'operator',
    id: 'sip:10.0.1.20:5060',
    subject: { kind: 'instance', instanceId: machine.instanceId, launchedAt: 1 },
    uris: [machine.uri],
    addresses: [machine.address],
    wholeInstance: false,
    who: 'alice',
    why: 'disk failing',
    placedAt: 1_000,
    order: '000000000001000',
    ...changes,
  }
}
