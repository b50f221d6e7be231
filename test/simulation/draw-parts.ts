import type { Delivery, EdgePlan, FileFlags, Happening, ServerPlan } from './plan.ts'
import type { Draws } from './random.ts'

export const second = 1000

/** Whom and when a part of a story is about. */
export interface Place {
  readonly draws: Draws
  readonly edges: readonly EdgePlan[]
  readonly servers: readonly ServerPlan[]
  readonly server: number
  readonly at: number
}

/** A little or much later: what is to meet comes within milliseconds, seconds or minutes. */
export function near(draws: Draws): number {
  const most = Number(draws.weighted({ 50: 15, 500: 25, 4000: 25, 40000: 20, 180000: 15 }))
  return draws.int(0, most)
}

export function delivery(draws: Draws): Delivery {
  const what = draws.weighted({ soon: 66, doubled: 16, late: 12, lost: 6 })
  if (what === 'lost') return []
  const soon = draws.int(10, 800)
  if (what === 'late') return [near(draws)]
  return what === 'doubled' ? [soon, soon + near(draws)] : [soon]
}

export function anyEdge({ draws, edges }: Place): number {
  return draws.int(0, edges.length - 1)
}

export function drawCall(place: Place): Happening[] {
  const { draws, server, at, edges } = place
  const lasts = Number(draws.weighted({ 20: 25, 120: 30, 400: 30, 840: 15 })) * draws.int(600, second)
  if (draws.chance(0.25)) return [{ at, kind: 'invite', edge: anyEdge(place), set: 1, lasts }]
  const often = draws.chance(0.4)
  const moves =
    edges.length > 1 && draws.chance(0.2)
      ? draws.several(1, often ? 8 : 1, () => ({
          edge: anyEdge(place),
          after: draws.int(1, often ? 20 : 120) * second,
        }))
      : undefined
  return [
    {
      at,
      kind: 'call',
      server,
      edge: anyEdge(place),
      out: draws.chance(0.35),
      lasts,
      ...(moves && { moves }),
    },
  ]
}

export function before(place: Place): Happening[] {
  const at = Math.max(0, place.at - place.draws.int(1, 60) * second)
  return place.draws.chance(0.6) ? drawCall({ ...place, at }) : []
}

/** The file of one edge, or of each, changes in the lines of a server; then it may be loaded. */
export function edit(
  place: Place,
  change: { readonly listed: boolean; readonly flags?: FileFlags; readonly port?: number | null },
  loads: number,
): Happening[] {
  const { draws, edges, servers, server, at } = place
  const only = draws.chance(0.3) ? anyEdge(place) : undefined
  const touched = edges.map((_, index) => index).filter((index) => only === undefined || index === only)
  const lines = touched.flatMap((edge) =>
    (servers[server]?.lines ?? [])
      .filter((line) => line.edge === edge)
      .map(
        (line): Happening => ({
          at,
          kind: 'line',
          server,
          edge,
          set: line.set,
          flags: line.flags,
          ...change,
        }),
      ),
  )
  const loading = touched.flatMap((edge): Happening[] =>
    draws.chance(loads)
      ? [{ at: at + near(draws), kind: draws.chance(0.85) ? 'stranger-reloads' : 'restart', edge }]
      : [],
  )
  return [...lines, ...loading]
}

export function scaleIn(place: Place): Extract<Happening, { kind: 'scale-in' }> {
  const { draws, server, at } = place
  return { at, kind: 'scale-in', server, delivery: delivery(draws), gone: delivery(draws) }
}

export function launch(place: Place): Extract<Happening, { kind: 'launch' }> {
  const { draws, server, at } = place
  return {
    at,
    kind: 'launch',
    server,
    after: draws.pick([1, 10, 60, 150]) * second,
    notFoundFor: draws.chance(0.2) ? draws.int(1, 20) * second : 0,
    addressAfter: draws.chance(0.15) ? draws.int(5, 90) * second : 0,
    delivery: delivery(draws),
    successful: delivery(draws),
  }
}
