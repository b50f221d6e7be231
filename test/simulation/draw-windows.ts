import { drawClearance } from './draw-choices.ts'
import { delivery, near, second } from './draw-parts.ts'
import { groupName, zoneOf } from './messages.ts'
import type { ClearancePlan, EdgePlan, Happening, Many, ServerPlan, Window } from './plan.ts'
import type { Draws } from './random.ts'

interface Windows {
  readonly servers: readonly ServerPlan[]
  readonly happenings: readonly Happening[]
  readonly clearance?: ClearancePlan
}

interface Place {
  readonly draws: Draws
  readonly servers: number
  readonly at: number
}

/** In a sixth of the histories operators command many servers, or holds that begin or end by themselves. */
export function drawWindows(draws: Draws, edges: readonly EdgePlan[], servers: number): Windows {
  if (!draws.chance(1 / 6)) return { servers: [], happenings: [] }
  const more = drawServers(draws, edges)
  const place = { draws, servers: servers + more.length, at: draws.int(5, 200) * second }
  const story = draws.weighted({ many: 45, ends: 25, window: 30 })
  const others = draws.chance(0.3) ? stories.many({ ...place, at: place.at + near(draws) }) : []
  return {
    servers: more,
    happenings: [...stories[story](place), ...others],
    ...(draws.chance(0.4) && { clearance: drawClearance(draws) }),
  }
}

/** Their addresses are none of the others'. */
function drawServers(draws: Draws, edges: readonly EdgePlan[]): ServerPlan[] {
  const count = Number(draws.weighted({ 0: 40, 1: 30, 3: 30 }))
  const set = draws.pick([1, 2])
  return Array.from({ length: count }, (_, index) => ({
    address: `10.0.3.${20 + index}`,
    port: 5060,
    namedBy: 'instance' as const,
    lines: edges.map((_edge, edge) => ({ edge, set, flags: 'AP' as const, listed: true })),
  }))
}

function drawMany(draws: Draws): Many {
  const what = draws.weighted({ group: 40, set: 35, zone: 25 })
  if (what === 'group') return { group: groupName }
  return what === 'set' ? { set: draws.int(1, 2) } : { zone: zoneOf(draws.int(0, 1)) }
}

function drawEnd(draws: Draws): number {
  return draws.int(20, 240) * second
}

function drawWindow(draws: Draws): Window {
  const beginsAfter = draws.int(5, 150) * second
  return { beginsAfter, ...(draws.chance(0.5) && { endsAfter: beginsAfter + drawEnd(draws) }) }
}

function operator(place: Place, command: 'drain' | 'activate', server: number, window: Window = {}) {
  const { draws, at } = place
  const by = draws.chance(0.2) && { by: 'bob' as const }
  return { at, kind: 'operator', server, command, delivery: delivery(draws), ...by, ...window } as const
}

function many(place: Place, command: 'drain' | 'activate', whom: Many, window: Window = {}): Happening {
  const { draws, at } = place
  const by = draws.chance(0.2) && { by: 'bob' as const }
  const force = command === 'drain' && draws.chance(0.1) && { force: true as const }
  return { at, kind: 'many', whom, command, delivery: delivery(draws), ...by, ...force, ...window }
}

const stories = {
  /** All of a group, set or zone, and later the end of it, now and then under another name. */
  many: (place: Place): Happening[] => {
    const { draws, servers, at } = place
    const whom = drawMany(draws)
    const over = { ...place, at: at + near(draws) + draws.int(0, 200) * second }
    const window = draws.weighted({ none: 70, end: 15, window: 15 })
    const its = { none: {}, end: { endsAfter: drawEnd(draws) }, window: drawWindow(draws) }[window]
    const server = draws.int(0, servers - 1)
    return [
      ...(draws.chance(0.5)
        ? [operator({ ...place, at: Math.max(0, at - near(draws)) }, 'drain', server)]
        : []),
      many(place, 'drain', whom, its),
      ...(draws.chance(0.2) ? [operator(over, 'activate', server)] : []),
      ...(draws.chance(0.7) ? [many(over, 'activate', draws.chance(0.7) ? whom : drawMany(draws))] : []),
    ]
  },
  /** A hold comes to its end, now and then in a freeze, or is given another end before. */
  ends: (place: Place): Happening[] => {
    const { draws, servers, at } = place
    const server = draws.int(0, servers - 1)
    const endsAfter = drawEnd(draws)
    const frozenAt = Math.max(at, at + endsAfter - draws.int(5, 60) * second)
    const later = { ...place, at: at + draws.int(1, endsAfter) }
    const freeze: Happening = {
      ...{ at: frozenAt, kind: 'freeze', lasts: draws.int(90, 240) * second },
      delivery: [draws.int(10, 800)],
    }
    const anew = draws.chance(0.5) ? { endsAfter: drawEnd(draws) } : {}
    return [
      operator(place, 'drain', server, { endsAfter }),
      ...(draws.chance(0.5) ? [freeze] : []),
      ...(draws.chance(0.3) ? [operator(later, 'drain', server, anew)] : []),
    ]
  },
  /** A window begins, is replaced, or is dropped before. */
  window: (place: Place): Happening[] => {
    const { draws, servers, at } = place
    const server = draws.int(0, servers - 1)
    const later = { ...place, at: at + draws.int(1, 200) * second }
    const then = draws.weighted({ nothing: 50, activate: 25, drain: 25 })
    const anew = draws.chance(0.5) ? drawWindow(draws) : {}
    return [
      ...(draws.chance(0.2) ? [operator({ ...place, at: at - near(draws) }, 'drain', server)] : []),
      operator(place, 'drain', server, drawWindow(draws)),
      ...(then === 'nothing' ? [] : [operator(later, then, server, then === 'drain' ? anew : {})]),
    ].map((each) => ({ ...each, at: Math.max(0, each.at) }))
  },
}
