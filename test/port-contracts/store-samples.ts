import { destinationUri } from '../../functions/control/destination.ts'
import type { ActionDrain, DrainHold, HoldDrain, Memory } from '../../functions/control/drain.ts'
import type { DrainSummary } from '../../functions/control/drain-events.ts'
import type { Hold } from '../../functions/control/hold.ts'
import type { EdgeHead, Listing, Reading } from '../../functions/control/reading.ts'
import type { KeptEvent } from '../../functions/ports/events.ts'

export const uri = (text: string) => {
  const parsed = destinationUri(text)
  if (!parsed) throw new Error(`${text} is not a SIP URI`)
  return parsed
}

export function aKeptEvent(id: string): KeptEvent {
  return { id, at: 1, event: { type: 'Drain Superseded', detail: { drainId: id } }, reason: 'throttled' }
}

/** Every field, the optional ones too: what comes back must be all that went in. */
export function aHold(id: string, change: Partial<Hold> = {}): Hold {
  return {
    source: 'lifecycle',
    id,
    subject: { kind: 'instance', instanceId: 'i-0a1b2c3d4e5f60718', launchedAt: 1_790_000_000_000 },
    uris: [uri('sip:10.0.1.20:5060'), uri('sip:10.0.1.20:5061;transport=tcp')],
    formerUris: [uri('sip:10.0.1.20:5080')],
    addresses: ['10.0.1.20'],
    wholeInstance: true,
    shownAt: 1_795_000_000_500,
    group: 'media',
    who: 'autoscaling',
    sender: { id: 'AROA4711:deploy-17', name: 'deploy pipeline' },
    why: 'scale-in',
    placedAt: 1_795_000_000_000,
    until: 1_795_000_600_000,
    endsAt: 2_795_000_900_000,
    of: { set: 1 },
    order: '001795000000000#1',
    ...change,
  }
}
/** A lifecycle action's, with every field. Its id is `lifecycle/<name>`. */
export function aDrain(name: string, change: Partial<ActionDrain> = {}): ActionDrain {
  const { action: _, ...begun } = aHoldDrain(name)
  return {
    ...begun,
    hold: { ...held(name), source: 'lifecycle' },
    action: {
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
    completionTries: 2,
    callsEnded: 7,
    phase: { name: 'draining', memory },
    ...change,
  }
}
const summary: DrainSummary = {
  ...{ drainId: 'operator/a', attempt: 1, source: 'operator', who: 'alice', why: 'disk failing' },
  ...{ uris: ['sip:10.0.1.20:5060'], state: 'draining', requestedAt: 1, deadlineAt: 2 },
}
/** An operator's. Its id is `operator/<name>`. */
export function aHoldDrain(name: string, change: Partial<HoldDrain> = {}): HoldDrain {
  return {
    attempt: 1,
    version: 1,
    steps: 3,
    lookedAt: 1_795_000_002_000,
    nextLookAt: 1_795_000_122_000,
    hold: { ...held(name), source: 'operator' },
    events: [
      { name: 'drainStarted', id: `${name}#1.0`, at: 1_795_000_003_000, detail: summary },
      { name: 'retainedTooLong', detail: { ...summary, ageMs: 1, callsLeft: 2, unknown: ['edge a'] } },
    ],
    phase: { name: 'draining', memory },
    ...change,
  }
}
function held(id: string): Omit<DrainHold, 'source'> {
  const { shownAt: _, ...hold } = aHold(id)
  return { ...hold, until: 1_795_000_600_000 }
}
const memory: Memory = {
  edges: {
    a: { everListed: true, zero: { at: 1, bootTime: 'Mon Nov 23 08:00:00 2026', begun: 90 } },
    b: { everListed: false, reaped: { calls: 1, at: 2 } },
  },
  confirmedAt: 1_795_000_003_000,
  overdue: true,
  progress: '[{"verdict":"draining"}]',
  counts: {
    edges: { a: { calls: 0, most: 4, since: 1, begun: 90 }, b: { calls: 3, most: 3, since: 2 } },
    totals: [{ at: 1_795_000_003_000, calls: 3 }],
    begunAt: 1_795_000_003_000,
  },
}
const draining = { name: 'draining', memory } as const
const ending = {
  name: 'ending-calls',
  memory,
  since: 1_795_000_700_000,
  lastStepAt: 1_795_000_705_000,
} as const
const retained = { name: 'retained', memory, since: 1_795_000_800_000, tooLongPublished: true } as const

/** Each phase that a lifecycle action's drain can be in, with every field and without the optional ones. */
export const actionPhases: readonly ActionDrain['phase'][] = [
  { name: 'claimed' },
  draining,
  { name: 'draining', memory: { edges: {} } },
  ending,
  { name: 'ending-calls', memory: { edges: {} }, since: 1_795_000_700_000 },
  retained,
  { name: 'retained', memory: { edges: {} }, since: 1_795_000_800_000 },
  { name: 'completing', completion: 'CONTINUE', because: 'drained', from: draining },
  { name: 'completing', completion: 'CONTINUE', because: 'terminated-at-deadline', from: ending },
  { name: 'completing', completion: 'ABANDON', because: 'retained', from: draining },
  { name: 'completing', completion: 'TERMINATE', because: 'gone', from: retained },
  { name: 'ended', because: 'action-over' },
]
/** The same of an operator's or alarm's. */
export const holdPhases: readonly HoldDrain['phase'][] = [
  { name: 'claimed' },
  draining,
  { name: 'held', verdict: 'drained', memory },
  { name: 'held', verdict: 'absent', memory: { edges: {} } },
  { name: 'ended', because: 'lifted' },
]
export function aHead(edge: string, change: Partial<EdgeHead> = {}): EdgeHead {
  return {
    edge,
    wanted: 3,
    askedAt: 1_795_000_000_000,
    bootId: '1794000000-4711',
    unreadable: {
      since: 1_795_000_060_000,
      at: 1_795_000_120_000,
      reason: 'no answer within 3000 ms',
      passes: true,
    },
    removedAt: 1_795_000_180_000,
    ...change,
  }
}
export function aReading(edge: string, change: Partial<Reading> = {}): Reading {
  return {
    edge,
    wanted: 3,
    askedAt: 1_795_000_000_000,
    answeredAt: 1_795_000_000_100,
    boot: 'Mon Nov 23 08:00:00 2026',
    entries: [
      {
        set: 1,
        uri: uri('sip:10.0.1.20:5060'),
        duid: 'x1',
        iuid: 'a',
        address: '10.0.1.20',
        before: 'AP',
        after: 'DX',
        refused: 'State Update Failed',
        since: 1_795_000_000_050,
      },
      { set: 2, uri: uri('sip:10.0.1.21'), after: 'DP' },
    ],
    guarded: [uri('sip:10.0.1.20:5060')],
    problem: 'no answer within 3000 ms',
    uptimeSeconds: 1800,
    restoresDialogs: false,
    replacedAt: 1_794_997_000_000,
    description: aDescription(edge),
    load: { calls: 7 },
    holds: someHolds,
    atStake: {
      'operator/a/alice': { calls: 2, source: 'profile', outbound: true, begun: 9 },
      'operator/b/alice': { unknown: 'no source' },
    },
    ended: {
      'lifecycle/a': { step: 2, at: 3, ended: 7, total: 9 },
      'lifecycle/b': { step: 1, at: 2, ended: 0, total: 0, failed: 'refused' },
    },
    ...change,
  }
}
const someHolds: Reading['holds'] = {
  'lifecycle/a': {
    flags: 'disabled',
    others: [uri('sip:10.0.1.20')],
    openAt: 1_794_999_000_000,
    counted: {
      count: { calls: 2, source: 'profile', outbound: true, begun: 90, reaped: 1 },
      at: 1_795_000_000_060,
      readBy: 1_795_000_000_070,
    },
  },
  'lifecycle/b': {
    flags: 'unlisted',
    unreadable: 'sip:10.0.1.20:5060;;',
    unresolved: 'media.example.net',
    counted: { count: { unknown: 'no reply' }, at: 1_795_000_000_060, readBy: 1_795_000_003_060 },
  },
}
const aDescription = (edge: string): Reading['description'] => ({
  edge,
  restoresDialogs: false,
  version: 'kamailio 6.1.5 (x86_64/Linux)',
  bootTime: 'Mon Nov 23 08:00:00 2026',
  uptimeSeconds: 1800,
  bootId: 'b-1',
  batch: true,
  fence: true,
  guard: true,
  profiles: ['dst', 'src'],
  counters: true,
  dialogs: 9,
  callsTo: 7,
  callsFrom: 2,
  begun: 90,
  begunTo: 80,
  longestCallSeconds: 14_400,
  endsCalls: true,
  keepalives: false,
  clockDifferenceSeconds: -1,
  configurationError: 'no profile',
  list: { destinations: 2, opaque: 1, opaqueSamples: ['sip:10.0.1.20:5060;;'], iuid: true },
  counts: 'counting',
})
export function aListing(edge: string, change: Partial<Listing> = {}): Listing {
  return {
    edge,
    since: 1_794_000_000_000,
    listed: [
      {
        set: 1,
        uri: uri('sip:media.example.net:5060'),
        flags: 'AP',
        duid: 'x1',
        iuid: 'a',
        address: '10.0.1.20',
      },
      { set: 2, uri: uri('sip:10.0.1.21'), flags: 'DX' },
    ],
    former: [
      { uri: uri('sip:10.0.1.22'), at: 1_794_999_000_000 },
      { uri: uri('sip:old.example.net'), at: 1_794_999_000_001, address: '10.0.1.23', duid: 'x2' },
    ],
    opaque: [
      { set: 1, text: 'sip:10.0.1.24:0', address: '10.0.1.24', duid: 'x3', at: 1_794_999_000_002 },
      { text: '{}' },
    ],
    lostAt: 1_794_998_000_000,
    ...change,
  }
}
