import { anyEdge, delivery, launch, near, type Place, scaleIn, second } from './draw-parts.ts'
import type { EdgePlan, Fault, GroupPlan, Happening, RefusingPort, ServerPlan } from './plan.ts'
import type { Draws } from './random.ts'
import { longestCallSeconds } from './world.ts'

interface Lost {
  readonly happenings: readonly Happening[]
  readonly faults: readonly Fault[]
}

/**
 * What no message tells, or nobody goes on with: in some histories, now and then with trouble for whoever
 * looks for it.
 */
export function drawLost(
  draws: Draws,
  edges: readonly EdgePlan[],
  servers: readonly ServerPlan[],
  group: GroupPlan,
): Lost {
  if (!draws.chance(0.25)) return { happenings: [], faults: [] }
  const server = draws.int(0, servers.length - 1)
  const at = draws.int(5, 200) * second
  const story = draws.weighted({
    scaleIn: 20,
    launch: 14,
    ok: 16,
    alarmGoes: 10,
    stopped: 20,
    alarmStopped: 8,
    retainedStopped: 8,
  })
  const happenings = stories[story]({ draws, edges, servers, server, at }, group)
  return { happenings, faults: draws.chance(0.35) ? [drawFault(draws, at)] : [] }
}

const calls = [
  'groupMembers.waiting',
  'alarms.states',
  'workflows.idle',
  'lifecycleActions.heartbeat',
] as const
const ports = ['groupMembers', 'alarms'] as const satisfies readonly RefusingPort[]

function drawFault(draws: Draws, at: number): Fault {
  const from = at + draws.int(0, 120) * second
  if (draws.chance(0.3)) return { kind: 'port', port: draws.pick(ports), from, to: from + 60 * second }
  const what = draws.pick(['refused', 'slow', 'dies before', 'dies after', 'frozen'] as const)
  const ms = what === 'slow' || what === 'frozen' ? draws.pick([2000, 25_000, 70_000]) : 0
  return { kind: 'call', from, on: draws.pick(calls), nth: 1, what, ms }
}

function calling(place: Place): Extract<Happening, { kind: 'call' }> {
  const { draws, server, at } = place
  const lasts = draws.int(30, 500) * second
  return { at, kind: 'call', server, edge: anyEdge(place), out: draws.chance(0.4), lasts }
}

/** Once or a few times, minutes apart. */
function ends({ draws, server, at }: Place): Happening[] {
  const how = draws.pick(['stopped', 'hangs'] as const)
  let when = at
  return draws.several(1, 2, () => {
    when += draws.int(1, 150) * second
    return { at: when, kind: 'executions-end', server, how }
  })
}

const stories = {
  scaleIn: (place: Place): Happening[] => [calling(place), { ...scaleIn(place), delivery: [] }],
  /** An address goes to a machine of whose launch nothing tells. */
  launch: (place: Place): Happening[] => {
    const next = launch({ ...place, at: place.at + near(place.draws) })
    return [
      { ...scaleIn(place), delivery: [100] },
      { ...next, delivery: [], successful: [] },
    ]
  },
  ok: ({ draws, server, at }: Place): Happening[] => {
    const over = at + draws.int(1, 200) * second
    const again = over + draws.int(1, 240) * second
    const alarm = { kind: 'alarm', server, delivery: [draws.int(10, 800)] } as const
    return [
      { ...alarm, at, state: 'ALARM' },
      { ...alarm, at: over, state: 'OK', delivery: [] },
      ...(draws.chance(0.4) ? [{ ...alarm, at: again, state: 'ALARM' } as const] : []),
    ]
  },
  alarmGoes: ({ draws, server, at }: Place): Happening[] => {
    const died = at + draws.int(1, 100) * second
    const how = draws.pick(['deleted', 'INSUFFICIENT_DATA'] as const)
    const ends = died + (how === 'deleted' ? draws.int(0, 60) : 150) * second
    return [
      { at, kind: 'alarm', server, state: 'ALARM', delivery: [draws.int(10, 800)] },
      ...(draws.chance(0.7)
        ? [{ at: died, kind: 'machine-dies', server, gone: delivery(draws) } as const]
        : []),
      { at: ends, kind: 'alarm-ends', server, how },
    ]
  },
  stopped: (place: Place): Happening[] => [
    calling(place),
    { ...scaleIn(place), delivery: [100] },
    ...ends(place),
  ],
  alarmStopped: (place: Place): Happening[] => {
    const { draws, server, at } = place
    const over = at + draws.int(100, 600) * second
    const alarm = { kind: 'alarm', server, delivery: [100] } as const
    return [
      { ...alarm, at, state: 'ALARM' },
      ...ends(place),
      ...(draws.chance(0.6) ? [{ ...alarm, at: over, state: 'OK' } as const] : []),
    ]
  },
  /** Its policy decides at the deadline, and may retain it; nobody goes on with its drain from then on. */
  retainedStopped: (place: Place, { drainDeadlineSeconds }: GroupPlan): Happening[] => {
    const { draws, server, at } = place
    const due = at + drainDeadlineSeconds * second
    // An edge that has been up for longer than the longest call has forgotten none.
    const lasts = Math.min(longestCallSeconds, drainDeadlineSeconds + draws.int(10, 300)) * second
    return [
      { ...calling(place), lasts },
      { ...scaleIn(place), delivery: [100] },
      ...ends({ ...place, server, at: due }),
    ]
  },
}
