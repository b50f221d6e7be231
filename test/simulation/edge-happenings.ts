import { present } from '../present.ts'
import { edgesChangedMessage } from './messages.ts'
import type { Happening } from './plan.ts'
import type { World } from './world.ts'

type Of<K extends Happening['kind']> = Extract<Happening, { kind: K }>
export type EdgeHappening =
  | Of<'edge-removed' | 'edge-added'>
  | Of<'restart' | 'stranger-reloads'>
  | Of<'line'>
  | Of<'hand'>

/** @returns the message that tells of it, where there is one */
export function toEdge(world: World, happening: EdgeHappening): string | undefined {
  const { edges, lists, plan, clock } = world
  const { edge: index } = happening
  const edge = present(edges[index], `edge ${index}`)
  switch (happening.kind) {
    case 'edge-removed':
    case 'edge-added':
      return changeFleet(world, happening)
    case 'restart':
      lists.restart(index)
      return undefined
    case 'stranger-reloads':
      try {
        edge.strangerReloads()
        // The edge in memory has loaded its file when it is looked at next.
        clock.at(clock.now() + (plan.edges[index]?.reloadTakesMs ?? 0), () => void edge.truth())
      } catch {
        // It is too early for another reload, as it would be for anybody.
      }
      return undefined
    case 'line': {
      const line = lists.lists.lineOf(happening.server, index, happening.set)
      if (!line) return undefined
      Object.assign(line, { listed: happening.listed, flags: happening.flags })
      if (happening.port !== undefined) line.port = happening.port ?? undefined
      lists.writeFile(index)
      return undefined
    }
    case 'hand':
      hand(world, happening)
      return undefined
    default:
      return happening satisfies never
  }
}

function changeFleet(world: World, { kind, edge }: Of<'edge-removed' | 'edge-added'>): string | undefined {
  const { configured, plan, clock } = world
  const isAdded = kind === 'edge-added'
  const id = plan.edges[edge]?.id
  if (id === undefined || isAdded === configured.has(edge) || (!isAdded && configured.size === 1))
    return undefined
  world.truth.happened('edge comes or goes', clock.now(), { edge })
  if (!isAdded) world.truth.happened('some edge is away', clock.now(), {}, Number.POSITIVE_INFINITY)
  world.truth.fleet.push({ edge, isAdded, at: clock.now() })
  if (isAdded) configured.add(edge)
  else configured.delete(edge)
  return edgesChangedMessage(id, isAdded ? 'Create' : 'Delete', clock.now())
}

function hand(world: World, { server, edge, set, state }: Of<'hand'>): void {
  const { edges, lists, truth, clock } = world
  const own = present(edges[edge], `edge ${edge}`)
  const shown = own
    .truth()
    .entries.find((entry) => entry.set === set && lists.lists.serverOf(entry.uri) === server)
  if (!shown) return
  const held = lists.heldByUs(edge).has(`${set} ${shown.uri.toLowerCase()}`)
  truth.happened('hand', clock.now(), { edge, server })
  own.strangerSets(state, set, shown.uri)
  const flags = { a: 'AX', ap: 'AP', i: 'IX', ip: 'IP', d: 'DX' }[state]
  present(truth.edges[edge], `truth of edge ${edge}`).byHand(set, shown.uri, flags, held, clock.now())
}
