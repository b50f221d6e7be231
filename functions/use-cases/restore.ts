import { eventTypes } from '../contracts/names.ts'
import { EdgeError } from '../control/errors.ts'
import { type FormerFlags, type Hold, holdsOn, orderOf } from '../control/hold.ts'
import { entriesOf, formerOf, isDisabled, restorePlan } from '../control/plan.ts'
import {
  asEdgeError,
  disableOnEdge,
  type EdgeResult,
  failure,
  onEveryEdge,
  reloadLease,
  shownEntries,
  write,
} from './edges.ts'
import type { Edge, Ports } from './ports.ts'

type Needs = Pick<Ports, 'store' | 'clock' | 'fleet' | 'events'>

/** Lifts a hold and gives its destinations back, where nothing else holds them, what they showed before. */
export async function lift(
  ports: Needs,
  hold: Hold,
  by: string,
  order: string = orderOf(ports.clock.now()),
): Promise<{ readonly lifted: boolean; readonly edges: readonly EdgeResult[] }> {
  const lifted: Hold = { ...hold, order, lifted: { at: ports.clock.now(), by, restored: false } }
  if ((await ports.store.putHold(lifted)) === 'stale') return { lifted: false, edges: [] }
  const edges = await restore(ports, lifted)
  await ports.events.publish({
    type: eventTypes.holdLifted,
    detail: { source: hold.source, holdId: hold.id, uris: hold.uris, by, placedBy: hold.who, edges },
  })
  return { lifted: true, edges }
}

/**
 * Finishes a lifting on every edge that can be reached. What we disabled stays on record per edge until that edge reads
 * back restored; the hold is marked `restored` when nothing is left on record but of released edges. Edges that are known to be `away` aren't asked:
 * each of many liftings would wait for their timeouts. What was `known` of the record counts also where another run has dropped it since.
 */
export async function restore(
  ports: Needs,
  hold: Hold,
  away: readonly string[] = [],
  known: readonly FormerFlags[] = [],
): Promise<EdgeResult[]> {
  const edges = await ports.fleet.edges()
  const results = await onEveryEdge(edges, async (edge) =>
    away.includes(edge.id)
      ? failure(edge, new EdgeError(edge.id, 'unreachable', 'the round could not read it'))
      : restoreOnEdge(ports, edge, hold, known),
  )
  const left = await ports.store.formerFlags(hold.uris)
  const holds = await ports.store.holds()
  const stillHeld = hold.uris.filter((uri) => holdsOn({ uri }, holds).length > 0)
  const open = left.filter((row) => !stillHeld.includes(row.uri))
  const reached = results.every(
    (result) => result.outcome === 'applied' || result.outcome === 'already' || result.outcome === 'unlisted',
  )
  const released = open.length > 0 ? await ports.store.releases() : []
  const given = open.every((row) => released.some(({ edge }) => edge === row.edge))
  if (hold.lifted && given && reached)
    await ports.store.putHold({ ...hold, lifted: { ...hold.lifted, restored: true } })
  return results
}

/**
 * To be called after a hold was set on edges: one that was lifted while that went on may have been set after its lifting was
 * finished. What is then left on record is given back, by later rounds where an edge is away.
 */
export async function undoIfLifted(ports: Needs, hold: Hold): Promise<void> {
  const now = await ports.store.hold(hold.source, hold.id, hold.subject)
  if (!now?.lifted) return
  const [left, holds] = await Promise.all([ports.store.formerFlags(now.uris), ports.store.holds()])
  if (!left.some((row) => holdsOn(row, holds).length === 0)) return
  const unfinished: Hold = { ...now, lifted: { ...now.lifted, restored: false } }
  if ((await ports.store.putHold(unfinished)) === 'written') await restore(ports, unfinished, [], left)
}

async function restoreOnEdge(
  ports: Needs,
  edge: Edge,
  hold: Hold,
  known: readonly FormerFlags[],
): Promise<EdgeResult> {
  try {
    const seen = entriesOf(hold, (await edge.list()).destinations)
    const named = [...new Set([...hold.uris, ...seen.map((entry) => entry.uri)])]
    const recorded = [...(await ports.store.formerFlags(named)), ...known]
    const former = recorded.filter((row) => row.edge === edge.id)
    // Listed after the record was read: where another run has restored and dropped it since, this shows nothing to do.
    const listed = (await edge.list()).destinations
    const [holds, holder] = await Promise.all([
      ports.store.holds(),
      ports.store.leaseHolder(reloadLease(edge), ports.clock.now()),
    ])
    if (holder) throw new EdgeError(edge.id, 'busy', 'it is being reloaded by us; the next round restores')
    const free = entriesOf(hold, listed).filter((entry) => holdsOn(entry, holds).length === 0)
    const held = entriesOf(hold, listed).filter((entry) => !free.includes(entry))
    const uris = named.filter(
      (uri) => holdsOn({ uri }, holds).length === 0 && !held.some((entry) => entry.uri === uri),
    )
    const { writes, refused } = restorePlan(free, listed, former)
    await write(edge, [...writes, ...uris.map((uri) => ({ uri, held: false }))])
    const after = writes.length > 0 ? (await edge.list()).destinations : listed
    const heldMeanwhile = (await ports.store.holds()).filter((other) =>
      free.some((entry) => holdsOn(entry, [other]).length > 0),
    )
    for (const other of heldMeanwhile) await disableOnEdge(ports, edge, other)
    if (heldMeanwhile.length > 0)
      throw new EdgeError(edge.id, 'busy', 'a new hold came while an old one was being lifted')
    const open = entriesOf(hold, after).filter((entry) =>
      free.some((f) => f.uri === entry.uri && f.group === entry.group),
    )
    const closed = open.filter(
      (entry) => isDisabled(entry) && !formerOf(entry, former)?.flags.startsWith('D'),
    )
    for (const row of former.filter(({ uri }) => uris.includes(uri)))
      if (!closed.some((entry) => entry.group === row.group && entry.uri === row.uri))
        await ports.store.dropFormerFlags(row)
    return {
      edge: edge.id,
      outcome:
        refused.length + closed.length > 0
          ? 'refused'
          : open.length === 0
            ? 'unlisted'
            : writes.length > 0
              ? 'applied'
              : 'already',
      ...shownEntries(
        open.map((entry) => ({
          group: entry.group,
          uri: entry.uri,
          before: free.find((f) => f.uri === entry.uri && f.group === entry.group)?.flags ?? entry.flags,
          after: entry.flags,
        })),
      ),
    }
  } catch (error) {
    return failure(edge, asEdgeError(error))
  }
}
