import * as z from 'zod'
import type { ControlEvent } from '../../functions/contracts/events.ts'
import type { MemoryClock } from '../memory/clock.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { present } from '../present.ts'
import type { LosingStore } from './drain-rows.ts'
import type { IncidentKind } from './incidents.ts'
import type { Plan, RefusingPort } from './plan.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

/** Tells what ends a call: a BYE of ours, unless it is the world's own doing. */
export interface ByUs {
  without(work: () => void): void
}

/** The store, where what a run puts on record of an edge is noted in its trace. */
export function traced(
  store: LosingStore,
  { plan, runs, lists, truth }: Pick<World, 'plan' | 'runs' | 'lists' | 'truth'>,
): LosingStore {
  return {
    ...store,
    async putEdgeRecords(edge, generation, records) {
      const index = plan.edges.findIndex(({ id }) => id === edge)
      for (const { uri } of records) {
        const server = lists.lists.serverOf(uri)
        if (server !== undefined) runs.note((trace, now) => trace.writes(index, server, now))
      }
      const written = await store.putEdgeRecords(edge, generation, records)
      const entries = records.flatMap((one) => (one.kind === 'entry' ? [one] : []))
      if (written === 'written') truth.edges[index]?.recorded(entries)
      return written
    },
  }
}

/** Notes what a command is answered, and what the edges that are named show then. */
export function answersTo({
  plan,
  edges,
  truth,
  clock,
  lists,
}: Pick<World, 'plan' | 'edges' | 'truth' | 'clock' | 'lists'>): (event: ControlEvent) => void {
  const openOn = (edge: number) =>
    present(edges[edge], `edge ${edge}`)
      .truth()
      .entries.flatMap(({ set, uri, flags }) => {
        const server = lists.lists.serverOf(uri)
        return server === undefined || flags.startsWith('D') ? [] : [{ server, entry: `${set} ${uri}` }]
      })
  return ({ type, detail }) => {
    if (type !== 'Command Answered') return
    const { id, edges: told = [] } = answered.parse(detail)
    const named = told.map(({ edge: name, outcome = '', detail: word }) => {
      const edge = plan.edges.findIndex((one) => one.id === name)
      return { edge, outcome, hasDetail: word !== undefined, open: openOn(edge) }
    })
    truth.answers.push({ order: Number(id.replace('command-', '')), at: clock.now(), edges: named })
  }
}

const answered = z.object({
  id: z.string(),
  edges: z
    .array(z.object({ edge: z.string(), outcome: z.string().optional(), detail: z.unknown().optional() }))
    .optional(),
})

/** The ports that refuse and the payloads of a newer release, as incidents of the whole world. */
export function noteFaults({ faults, edges }: Plan, truth: Truth, startedAt: number): void {
  for (const [edge, { configured }] of edges.entries())
    if (!configured) truth.happened('edge comes or goes', startedAt, { edge })
  for (const fault of faults) {
    if (fault.kind === 'newer-payload')
      truth.happened('newer payload', startedAt + fault.from, {}, startedAt + fault.to)
    if (fault.kind === 'port')
      truth.happened(refusals[fault.port] ?? 'fault', startedAt + fault.from, {}, startedAt + fault.to)
    if (fault.kind === 'call') truth.happened('fault', startedAt + fault.from, {}, Number.POSITIVE_INFINITY)
  }
}

const refusals: Readonly<Partial<Record<RefusingPort, IncidentKind>>> = {
  events: 'events refused',
  store: 'store refused',
  lifecycleActions: 'completions refused',
}

export function watchByes(edges: readonly MemoryEdge[], truth: Truth, clock: MemoryClock): ByUs {
  let own = false
  for (const [index, edge] of edges.entries()) {
    const hangUp = edge.hangUp.bind(edge)
    edge.hangUp = (number) => {
      const call = truth.calls.find((one) => one.edge === index && one.number === number)
      if (call && !own && call.to > clock.now()) {
        call.endedByUs = clock.now()
        call.to = clock.now()
      }
      hangUp(number)
    }
  }
  return {
    without(work) {
      own = true
      work()
      own = false
    },
  }
}
