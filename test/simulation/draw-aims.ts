import { anyEdge, edit, launch, type Place, scaleIn, second } from './draw-parts.ts'
import type { EdgePlan, Happening, ServerPlan } from './plan.ts'
import type { Draws } from './random.ts'

/**
 * Stories that other draws come to too seldom: each is aimed at one fault that was mended. Most histories
 * have none of them.
 */
export function drawAims(
  draws: Draws,
  edges: readonly EdgePlan[],
  servers: readonly ServerPlan[],
): Happening[] {
  if (!draws.chance(0.25)) return []
  const aim =
    aims[
      draws.weighted({
        unlisted: 8,
        respelled: 6,
        lastMoment: 8,
        unknownToEc2: 8,
        removedEdge: 8,
        launchLost: 12,
        listedLate: 8,
        alarmOver: 6,
      })
    ]
  const server = draws.int(0, servers.length - 1)
  return aim({ draws, edges, servers, server, at: draws.int(5, 200) * second })
}

/** A call that outlasts what comes next. */
function longCall(place: Place, out: boolean): Happening & { readonly kind: 'call' } {
  const { draws, server, at } = place
  return { at, kind: 'call', server, edge: anyEdge(place), out, lasts: draws.int(100, 500) * second }
}

/** Its lines change in all files and are loaded, while a call is up; then it is scaled in. */
function editedDuringCall(
  place: Place,
  change: { readonly listed: boolean; readonly port?: number | null },
): Happening[] {
  const { draws, at, edges } = place
  const edited = at + draws.int(1, 70) * second
  const lines = edit({ ...place, at: edited }, change, 0)
  const loads = edges.map((_, edge): Happening => ({ at: edited + 500, kind: 'stranger-reloads', edge }))
  // Also when no settle has seen the former list for a minute.
  const later = edited + draws.int(2, 110) * second
  return [longCall(place, false), ...lines, ...loads, scaleIn({ ...place, at: later })]
}

/** Its lines come into the files, or leave them, and each edge loads its own. */
function relisted(place: Place, listed: boolean): Happening[] {
  const { at, edges } = place
  return [
    ...edit(place, { listed }, 0),
    ...edges.map((_, edge): Happening => ({ at, kind: 'stranger-reloads', edge })),
  ]
}

const aims = {
  unlisted: (place: Place) => editedDuringCall(place, { listed: false }),
  respelled: (place: Place) => {
    const { servers, server } = place
    return editedDuringCall(place, { listed: true, port: servers[server]?.port === undefined ? 5060 : null })
  },
  /** Drains side by side share their readings; calls begin about when the last one is taken. */
  lastMoment: (place: Place): Happening[] => {
    const { draws, at, servers } = place
    const apart = draws.int(1000, 4500)
    return [...servers.keys()].flatMap((server) => {
      const began = at + server * apart
      const drain: Happening = { at: began, kind: 'scale-in', server, delivery: [100], gone: [100] }
      return [drain, longCall({ ...place, server, at: began + draws.int(16_000, 25_000) }, true)]
    })
  },
  /** An edge with a call leaves the configuration, and then the server is scaled in. */
  removedEdge: (place: Place): Happening[] => {
    const { draws, at, edges } = place
    const edge = edges.length - 1
    const removedAt = at + draws.int(1, 60) * second
    return [
      { ...longCall(place, draws.chance(0.5)), edge, lasts: draws.int(300, 700) * second },
      { at: removedAt, kind: 'edge-removed', edge, delivery: [100] },
      scaleIn({ ...place, at: removedAt + draws.int(2, 60) * second }),
    ]
  },
  /** A machine is scaled in before EC2 knows it, or shows its address. */
  unknownToEc2: (place: Place): Happening[] => {
    const { draws, at, server } = place
    const scaledAt = at + draws.int(10, 40) * second
    const late = draws.chance(0.5)
      ? { notFoundFor: 90 * second, addressAfter: 0 }
      : { notFoundFor: 0, addressAfter: 90 * second }
    return [
      { at, kind: 'machine-dies', server, gone: [100] },
      { ...launch({ ...place, at: at + 1 }), after: second, ...late },
      longCall({ ...place, at: scaledAt - draws.int(1, 7) * second }, draws.chance(0.5)),
      scaleIn({ ...place, at: scaledAt }),
    ]
  },
  /** An address leaves the lists, and is listed again for a machine whose launch was told before. */
  listedLate: (place: Place): Happening[] => {
    const { draws, at, server } = place
    const unlisted = at + draws.int(25, 40) * second
    const listed = unlisted + draws.int(8, 30) * second
    const told = { after: 2 * second, notFoundFor: 0, addressAfter: 0, delivery: [100], successful: [100] }
    return [
      { at, kind: 'scale-in', server, delivery: [100], gone: [100] },
      ...relisted({ ...place, at: unlisted }, false),
      { ...launch({ ...place, at: unlisted }), ...told },
      ...relisted({ ...place, at: listed }, true),
    ]
  },
  /**
   * An alarm is over while its target is still being resolved: the list that names it was loaded a moment
   * ago.
   */
  alarmOver: (place: Place): Happening[] => {
    const { draws, at, server } = place
    // So that a minute's settle stores the list without it.
    const listed = at + draws.int(62, 90) * second
    const alarmed = listed + draws.int(600, 3000)
    return [
      ...relisted(place, false),
      ...relisted({ ...place, at: listed }, true),
      { at: alarmed, kind: 'alarm', server, state: 'ALARM', delivery: [100] },
      { at: alarmed + 1, kind: 'alarm', server, state: 'OK', delivery: [draws.int(100, 1500)] },
    ]
  },
  /** The event of a launch is lost, and somebody completes its action. */
  launchLost: (place: Place): Happening[] => {
    const { draws, at } = place
    const lost = { notFoundFor: 0, addressAfter: 0, delivery: [], successful: [draws.int(10, 800)] }
    const completedAfter = draws.int(1, 20) * second
    return [
      scaleIn(place),
      { ...launch({ ...place, at: at + second }), after: draws.int(1, 60) * second, ...lost, completedAfter },
    ]
  },
}
