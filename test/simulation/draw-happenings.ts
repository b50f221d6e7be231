import {
  anyEdge,
  before,
  delivery,
  drawCall,
  edit,
  launch,
  near,
  type Place,
  scaleIn,
  second,
} from './draw-parts.ts'
import type { EdgePlan, Happening, ServerPlan } from './plan.ts'
import type { Draws } from './random.ts'

/** One or a few stories, which may meet on one server and at one time, and calls all the while. */
export function drawHappenings(
  draws: Draws,
  edges: readonly EdgePlan[],
  servers: readonly ServerPlan[],
): Happening[] {
  const favourite = draws.int(0, servers.length - 1)
  const around = draws.int(10, 240) * second
  const stories = draws.several(1, 4, () => {
    const server = draws.chance(0.8) ? favourite : draws.int(0, servers.length - 1)
    const at = draws.chance(0.7) ? around + near(draws) : draws.int(5, 480) * second
    const name = draws.weighted(weights)
    return stories_[name]({ draws, edges, servers, server, at })
  })
  const calls = draws.several(0, 6, () =>
    drawCall({ draws, edges, servers, server: favourite, at: draws.int(0, 420) * second }),
  )
  return [...stories.flat(), ...calls.flat()].sort((a, b) => a.at - b.at)
}

/** Something is held when it is reloaded. */
function drainBefore({ draws, server, at }: Place): Happening {
  const before = Math.max(0, at - draws.int(1, 60) * second)
  return { at: before, kind: 'operator', server, command: 'drain', delivery: delivery(draws) }
}

const weights = {
  scaleIn: 14,
  recycle: 10,
  operator: 12,
  alarm: 10,
  reload: 8,
  restart: 6,
  hand: 5,
  unlisted: 8,
  respelled: 5,
  disabledInFile: 6,
  edgeGoes: 6,
  edgeComes: 3,
  machineDies: 5,
  lastMoment: 5,
  rowLost: 1,
  groupDeleted: 1,
}

const stories_: Readonly<Record<keyof typeof weights, (place: Place) => Happening[]>> = {
  scaleIn: (place) => {
    const { draws, at } = place
    // About when the drain looks for the last time.
    const after = draws.several(0, 3, () => drawCall({ ...place, at: at + draws.int(5000, 30_000) }))
    // Drains that go on side by side share their readings.
    const others = place.servers.flatMap((_, server) =>
      server !== place.server && draws.chance(0.3)
        ? [scaleIn({ ...place, server, at: at + draws.int(0, 9) * second })]
        : [],
    )
    const message: Happening = { at: Math.max(0, at - second), kind: 'message', server: place.server }
    return [
      ...before(place),
      ...(draws.chance(0.5) ? [message] : []),
      scaleIn(place),
      ...others,
      ...after.flat(),
    ]
  },
  recycle: (place) => {
    const { draws, at } = place
    const relisted = draws.chance(0.35)
    const later = at + draws.int(30, 240) * second
    return [
      scaleIn(place),
      launch({ ...place, at: at + near(draws) }),
      ...(relisted ? edit({ ...place, at: at + near(draws) }, { listed: false }, 0.9) : []),
      ...(relisted ? edit({ ...place, at: later }, { listed: true }, 0.9) : []),
    ]
  },
  operator: (place) => {
    const { draws, server, at } = place
    const drained: Happening = { at, kind: 'operator', server, command: 'drain', delivery: delivery(draws) }
    const activated: Happening = {
      at: at + near(draws),
      kind: 'operator',
      server,
      command: 'activate',
      delivery: delivery(draws),
    }
    return draws.chance(0.8) ? [...before(place), drained, activated] : [drained]
  },
  alarm: (place) => {
    const { draws, server, at } = place
    const states = draws.pick([
      ['ALARM', 'OK'],
      ['ALARM', 'OK'],
      ['ALARM'],
      ['ALARM', 'OK', 'ALARM', 'OK'],
    ] as const)
    let when = at
    return states.map((state) => {
      when += 1 + near(draws)
      return { at: when, kind: 'alarm', server, state, delivery: delivery(draws) }
    })
  },
  reload: (place) => {
    const { draws, at, edges } = place
    if (draws.chance(0.35))
      return [
        ...(draws.chance(0.6) ? [drainBefore(place)] : []),
        {
          at,
          kind: 'reload-command',
          delivery: delivery(draws),
          ...(draws.chance(0.5) && { edge: anyEdge(place) }),
        },
      ]
    const all = draws.chance(0.5)
    return edges.flatMap((_, edge): Happening[] =>
      all || edge === anyEdge(place) ? [{ at: at + draws.int(0, 50), kind: 'stranger-reloads', edge }] : [],
    )
  },
  restart: (place) => [{ at: place.at, kind: 'restart', edge: anyEdge(place) }],
  hand: (place) => {
    const { draws, server, at, servers } = place
    const edge = anyEdge(place)
    const set = servers[server]?.lines.find((line) => line.edge === edge)?.set ?? 1
    return [{ at, kind: 'hand', server, edge, set, state: draws.pick(['a', 'ap', 'i', 'ip', 'd', 'd']) }]
  },
  unlisted: (place) => {
    const { draws, at } = place
    const later = at + draws.int(1, 200) * second
    return [
      ...before(place),
      ...edit(place, { listed: false }, 0.85),
      ...(draws.chance(0.4)
        ? [{ at: at + near(draws), kind: 'restart', edge: anyEdge(place) } as const]
        : []),
      ...(draws.chance(0.7) ? [scaleIn({ ...place, at: at + 3 * second + near(draws) })] : []),
      ...(draws.chance(0.35) ? edit({ ...place, at: later }, { listed: true }, 0.85) : []),
    ]
  },
  respelled: (place) => {
    const { draws, at, servers, server } = place
    const port = servers[server]?.port === undefined ? 5060 : draws.pick([null, 5080])
    return [
      ...before(place),
      ...edit(place, { listed: true, port }, 0.9),
      ...(draws.chance(0.7) ? [scaleIn({ ...place, at: at + 3 * second + near(draws) })] : []),
    ]
  },
  disabledInFile: (place) => {
    const { draws, at } = place
    const later = at + draws.int(10, 200) * second
    return [
      ...edit(place, { listed: true, flags: 'DX' }, 0.85),
      ...(draws.chance(0.3) ? edit({ ...place, at: later }, { listed: true, flags: 'AP' }, 0.85) : []),
    ]
  },
  edgeGoes: (place) => {
    const { draws, at } = place
    const edge = anyEdge(place)
    const comesBack = draws.chance(0.6)
    const later = at + draws.int(5, 200) * second
    return [
      { at, kind: 'edge-removed', edge, delivery: delivery(draws) },
      ...(draws.chance(0.5)
        ? [{ at: at + near(draws), kind: 'release-command', edge, delivery: delivery(draws) } as const]
        : []),
      ...(comesBack ? [{ at: later, kind: 'edge-added', edge, delivery: delivery(draws) } as const] : []),
    ]
  },
  edgeComes: (place) => [
    { at: place.at, kind: 'edge-added', edge: anyEdge(place), delivery: delivery(place.draws) },
  ],
  machineDies: (place) => {
    const { draws, server, at } = place
    return [
      ...(draws.chance(0.7) ? [scaleIn({ ...place, at: Math.max(0, at - near(draws)) })] : []),
      { at, kind: 'machine-dies', server, gone: delivery(draws) },
      ...(draws.chance(0.6) ? [launch({ ...place, at: at + 1 })] : []),
    ]
  },
  lastMoment: (place) => {
    const { draws, at, servers } = place
    const other = draws.int(0, servers.length - 1)
    const later = at + draws.int(3000, 9000)
    const placed = (server: number, from: number): Happening => ({
      at: from + draws.int(13_000, 21_000),
      kind: 'call',
      server,
      edge: anyEdge(place),
      out: true,
      lasts: 200 * second,
    })
    // Two drains side by side share their readings; a call begins about when the last one is taken.
    return [
      scaleIn(place),
      scaleIn({ ...place, server: other, at: later }),
      draws.chance(0.5) ? placed(place.server, at) : placed(other, later),
    ]
  },
  rowLost: (place) => [
    scaleIn(place),
    { at: place.at + 2 * second + near(place.draws), kind: 'row-lost', server: place.server },
  ],
  groupDeleted: (place) => [
    scaleIn(place),
    { at: place.at + 1 * second + near(place.draws), kind: 'group-deleted' },
  ],
}
