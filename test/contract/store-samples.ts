import { destinationUri } from '../../functions/control/destination.ts'
import type { DrainRecord } from '../../functions/control/drain-record.ts'
import type { Hold } from '../../functions/control/hold.ts'
import type { EdgeReading, Round } from '../../functions/control/round.ts'

export const uri = (text: string) => {
  const parsed = destinationUri(text)
  if (!parsed) throw new Error(`${text} is not a SIP URI`)
  return parsed
}

/** Every field, the optional ones too: what comes back must be all that went in. */
export function aHold(id: string, change: Partial<Hold> = {}): Hold {
  return {
    source: 'lifecycle',
    id,
    subject: { kind: 'instance', instanceId: 'i-0a1b2c3d4e5f60718', launchedAt: 1_790_000_000_000 },
    uris: [uri('sip:10.0.1.20:5060'), uri('sip:10.0.1.20:5061;transport=tcp')],
    addresses: ['10.0.1.20'],
    wholeInstance: true,
    group: 'media',
    who: 'autoscaling',
    why: 'scale-in',
    placedAt: 1_795_000_000_000,
    until: 1_795_000_600_000,
    order: '001795000000000#1',
    ...change,
  }
}
export function aDrain(id: string, change: Partial<DrainRecord> = {}): DrainRecord {
  return {
    id,
    attempt: 1,
    version: 1,
    source: 'lifecycle',
    holdId: 'i-0a1b2c3d4e5f60718/drain',
    who: 'autoscaling',
    why: 'scale-in',
    order: '001795000000000',
    state: 'draining',
    requestedAt: 1_795_000_000_000,
    deadlineAt: 1_795_000_600_000,
    instanceId: 'i-0a1b2c3d4e5f60718',
    subject: { kind: 'instance', instanceId: 'i-0a1b2c3d4e5f60718', launchedAt: 1_790_000_000_000 },
    uris: [uri('sip:10.0.1.20')],
    addresses: ['10.0.1.20'],
    wholeInstance: true,
    group: 'media',
    edges: {
      a: { everListed: true, zero: { at: 1, bootTime: 'Mon Nov 23 08:00:00 2026' } },
      b: { everListed: false },
    },
    lifecycle: {
      group: 'media',
      hook: 'drain',
      token: '87654321-4321-4321-4321-210987654321',
      instanceId: 'i-0a1b2c3d4e5f60718',
      transition: 'terminating',
      policy: { callsLeft: 'end-calls', unknown: 'retain' },
      endCalls: { perStep: 10, withinSeconds: 300 },
      heartbeatSeconds: 100,
    },
    lastHeartbeatAt: 1_795_000_001_000,
    confirmedAt: 1_795_000_003_000,
    overdueSaid: false,
    endingSince: 1_795_000_003_100,
    endedCallsAt: 1_795_000_003_200,
    callsEnded: 7,
    completion: 'CONTINUE',
    retainedAt: 1_795_000_003_500,
    retainedTooLongSaid: false,
    completionTries: 0,
    steps: 3,
    terminatedAt: 1_795_000_004_000,
    result: 'drained',
    ...change,
  }
}
export function aRound(id: string, startedAt: number, edges: Round['edges'] = []): Round {
  return {
    id,
    startedAt,
    finishedAt: startedAt + 100,
    holds: ['lifecycle/i-0a1b2c3d4e5f60718/drain'],
    goneInstances: ['i-0a1b2c3d4e5f60719'],
    edges,
    mediaServers: { 'lifecycle/a': 3, 'lifecycle/b': { unknown: 'timeout' } },
  }
}
type ReadableEdge = Extract<EdgeReading, { readable: true }>
export const aReading = (edge: string): ReadableEdge => ({
  edge,
  readable: true,
  at: 1_795_000_000_050,
  bootTime: 'Mon Nov 23 08:00:00 2026',
  uptimeSeconds: 1800,
  restoresDialogs: false,
  holds: {
    'lifecycle/a': {
      flags: 'disabled',
      others: [uri('sip:10.0.1.20')],
      counted: {
        count: { calls: 2, source: 'profile', outbound: true },
        at: 1_795_000_000_060,
        readBy: 1_795_000_000_070,
      },
    },
    'lifecycle/b': {
      flags: 'open',
      counted: { count: { unknown: 'no reply' }, at: 1_795_000_000_060, readBy: 1_795_000_003_060 },
    },
    'lifecycle/c': { flags: 'unlisted' },
  },
})
