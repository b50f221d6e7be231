import type { CallTrouble, EdgeTrouble, Fault, PortCall, RefusingPort } from './plan.ts'
import type { Draws } from './random.ts'

const second = 1000

const edgeTroubles: Readonly<Record<EdgeTrouble, number>> = {
  unreachable: 26,
  'replies lost': 14,
  'replies halved': 6,
  'replies swapped': 5,
  'last reply lost': 5,
  slow: 14,
  'executed later': 16,
  'counts refused': 8,
  'list refused': 6,
  'writes refused': 5,
}
const callTroubles: Readonly<Record<CallTrouble, number>> = {
  refused: 25,
  'done but an error': 18,
  'done later': 10,
  slow: 15,
  'dies before': 15,
  'dies after': 15,
  frozen: 12,
}
const calls: Readonly<Record<PortCall, number>> = {
  '*': 24,
  'edge.write': 16,
  'edge.read': 6,
  'edge.reload': 2,
  'store.*': 12,
  'store.putHold': 6,
  'store.putDrain': 4,
  'store.beginDrain': 2,
  'store.putEdgeRecords': 4,
  'store.takeEdge': 4,
  'store.holds': 3,
  'workflows.start': 6,
  'lifecycleActions.*': 6,
  'events.publish': 5,
  'instances.*': 4,
  'fleet.edges': 2,
  'settles.ask': 6,
  'store.putReading': 6,
  'store.edgeHeads': 3,
  'store.reading': 3,
  'store.putMachines': 1,
  'mediaServers.*': 1,
}
/** What the sweep alone asks refuses in stories of its own. */
const ports: Readonly<Record<Exclude<RefusingPort, 'groupMembers' | 'alarms'>, number>> = {
  events: 22,
  lifecycleActions: 22,
  workflows: 26,
  instances: 16,
  store: 14,
  settles: 10,
}

/** Nothing, or a few things that go wrong, most of them when something happens. */
export function drawFaults(
  draws: Draws,
  edges: number,
  times: readonly number[],
  reloads: readonly number[],
): Fault[] {
  const lasts = Math.max(...times) + 60 * second
  const atReloads = reloads.flatMap((at): Fault[] =>
    draws.chance(0.3)
      ? [
          {
            kind: 'edge',
            edge: draws.int(0, edges - 1),
            from: at,
            to: at + draws.pick([10, 30]) * second,
            what: draws.pick(['writes refused', 'writes refused', 'unreachable']),
            ms: 0,
          },
        ]
      : [],
  )
  const from = () =>
    draws.chance(0.5)
      ? draws.int(0, lasts - 30 * second)
      : Math.max(0, (times[draws.int(0, times.length - 1)] ?? 0) + draws.int(-3000, 3000))
  const several = draws.several(0, 4, (): Fault => {
    const kind = draws.weighted({ edge: 46, call: 44, port: 14, 'newer-payload': 3 })
    if (kind === 'edge') return drawEdgeFault(draws, edges, from())
    if (kind === 'call') return drawCallFault(draws, from())
    if (kind === 'newer-payload') return { kind, from: from(), to: lasts }
    const begins = draws.chance(0.3) ? 0 : from()
    const port = draws.weighted(ports)
    const long = port === 'events' ? draws.pick([30, 300, 3600]) : draws.pick([30, 60, 90])
    return { kind: 'port', port, from: begins, to: begins + long * second }
  })
  const all = [...atReloads, ...several]
  return draws.chance(0.1) ? [...all, { kind: 'ec2-lags', ms: draws.int(2, 30) * second }] : all
}

function drawEdgeFault(draws: Draws, edges: number, from: number): Fault {
  const what = draws.weighted(edgeTroubles)
  const lasts = draws.pick([2, 10, 40, 120]) * second
  const ms = what === 'slow' ? draws.pick([300, 1500, 2900, 4000]) : draws.pick([4, 20, 60, 150]) * second
  return { kind: 'edge', edge: draws.int(0, edges - 1), from, to: from + lasts, what, ms }
}

function drawCallFault(draws: Draws, from: number): Fault {
  const what = draws.weighted(callTroubles)
  const takes = what === 'slow' || what === 'frozen' || what === 'done later'
  const ms = takes ? draws.pick([300, 2000, 8000, 25_000, 70_000]) : 0
  return {
    kind: 'call',
    from,
    on: draws.weighted(calls),
    nth: draws.chance(0.6) ? 1 : draws.int(2, 12),
    what,
    ms,
  }
}
