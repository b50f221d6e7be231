import { present } from '../present.ts'
import type { Happening, Move } from './plan.ts'
import type { Call, Machine } from './truth.ts'
import type { World } from './world.ts'

type Of<K extends Happening['kind']> = Extract<Happening, { kind: K }>

/** A call of a server: to it, where the edge selects it now, or from it. */
export function call(world: World, { server, edge, out, lasts, moves = [] }: Of<'call'>): void {
  const machine = world.truth.machineAt(server)
  if (!machine || (!out && !isSelected(world, server, edge))) return
  goOn(world, machine, { edge, out, left: lasts, moves })
}

interface Leg {
  readonly edge: number
  readonly out: boolean
  readonly left: number
  readonly moves: readonly Move[]
}

function goOn(world: World, machine: Machine, { edge, out, left, moves }: Leg): void {
  const [next, ...later] = moves
  const stays = Math.min(next?.after ?? left, left)
  begin(world, machine, edge, out, stays)
  if (!next || stays >= left) return
  world.clock.at(world.clock.now() + stays, () => {
    if (machine.goneAt !== undefined) return
    world.faults.hit('world: call moves to another edge', world.clock.now())
    goOn(world, machine, { edge: next.edge, out, left: left - stays, moves: later })
  })
}

/** A call to a set, which the edge leads to whom it selects. */
export function invite(world: World, { edge, set, lasts }: Of<'invite'>): void {
  const { edges, lists, truth } = world
  const called = present(edges[edge], `edge ${edge}`)
  const routed = called.invite(set)
  if (!routed) return
  const server = lists.lists.serverOf(routed.uri)
  const machine = server === undefined ? undefined : truth.machineAt(server)
  if (machine) begin(world, machine, edge, false, lasts, routed)
  else called.hangUp(routed.call)
}

function isSelected({ edges, lists, plan }: World, server: number, index: number): boolean {
  const { entries, held } = present(edges[index], `edge ${index}`).truth()
  const guarded = plan.edges[index]?.guard ? held : []
  return entries.some(
    ({ uri, flags }) =>
      lists.lists.serverOf(uri) === server && !/^[DI]/.test(flags) && !guarded.includes(uri),
  )
}

function begin(
  world: World,
  machine: Machine,
  index: number,
  out: boolean,
  lasts: number,
  routed?: { readonly call: number; readonly uri: string },
): void {
  const { truth, edges, plan, lists, clock, byUs } = world
  const edge = edges[index]
  const own = plan.edges[index]
  const server = plan.servers[machine.server]
  if (!edge || !own || !server) return
  const listed = edge.truth().entries.filter(({ uri }) => lists.lists.serverOf(uri) === machine.server)
  const uri =
    routed?.uri ??
    listed[truth.calls.length % Math.max(1, listed.length)]?.uri ??
    lists.lists.uriOf({ server: machine.server, port: server.port })
  const number = routed?.call ?? (out ? edge.callFrom(server.address) : edge.callTo(uri))
  const visible = !(out && own.profiles.includes('dst') && !own.profiles.includes('src'))
  const from = clock.now()
  const one: Call = {
    ...{ machine, edge: index, out, from, to: from + lasts, number, visible },
    ...(!out && { uri }),
  }
  truth.calls.push(one)
  clock.at(one.to, () => {
    if (edge.isUp(number)) byUs.without(() => edge.hangUp(number))
  })
}
