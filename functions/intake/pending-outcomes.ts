import { eventTypes } from '../contracts/names.ts'
import { type EdgeResult, wasRead } from '../control/edge-result.ts'
import { UnexpectedAnswer } from '../control/errors.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { clocksApartMs } from '../control/observation.ts'
import { type EdgeHead, readable } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import type { PendingOutcome } from '../ports/store.ts'
import { pendingOn, resultsOn } from '../stored/edge-results.ts'
import { onEach } from '../stored/on-each.ts'

/** Keeps what an outcome leaves open, of edges that were not read since: its end is published. */
export async function keepPending(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  command: string,
  { hold, wanted }: { readonly hold: Hold; readonly wanted: number },
  results: readonly EdgeResult[],
): Promise<void> {
  const edges = results.flatMap((result) => (wasRead(result) ? [] : [result.edge]))
  if (edges.length === 0) return
  await store.putPendingOutcome({
    id: `${command}/${holdKey(hold)}`,
    ...{ command, since: wanted, hold, edges: [...new Set(edges)], at: clock.now() },
  })
}

/**
 * Publishes what came of each change on the edges that its outcome left open, once all of them know it or are
 * configured no more.
 * @throws UnexpectedAnswer for rows that can't be read, when all was done
 */
export async function publishSettled(ports: Pick<Ports, 'store' | 'events'>): Promise<void> {
  const { outcomes, unread } = await ports.store.pendingOutcomes()
  if (outcomes.length > 0) await publishThoseOf(ports, outcomes)
  if (unread.length > 0) throw new UnexpectedAnswer(unread.join('; '))
}

async function publishThoseOf(
  ports: Pick<Ports, 'store' | 'events'>,
  pending: readonly PendingOutcome[],
): Promise<void> {
  const heads = new Map((await ports.store.edgeHeads()).map((head) => [head.edge, head]))
  const counter = await ports.store.wanted()
  const over = pending.filter((one) => one.edges.every((edge) => isOver(heads.get(edge), one, counter)))
  const edges = [...new Set(over.flatMap((one) => one.edges))]
  const readings = new Map<string, ResultsOn>()
  await onEach(edges, async (edge) => {
    const head = heads.get(edge)
    // What is stored of a removed edge was read before the change.
    if (!head || head.removedAt !== undefined) return
    const reading = readable(await ports.store.reading(edge))
    if (reading) readings.set(edge, resultsOn(ports, reading))
  })
  for (const one of over) await publish(ports, one, heads, readings)
}

type ResultsOn = ReturnType<typeof resultsOn>

/** Whatever the counter is, which may have gone back: what was begun after the outcome knows the change. */
function isOver(head: EdgeHead | undefined, { since, at }: PendingOutcome, counter: number): boolean {
  if (!head || head.removedAt !== undefined) return true
  if (head.unreadable) return false
  return (head.wanted >= since && head.wanted <= counter) || head.askedAt >= at + clocksApartMs
}

async function publish(
  { store, events }: Pick<Ports, 'store' | 'events'>,
  pending: PendingOutcome,
  heads: ReadonlyMap<string, EdgeHead>,
  readings: ReadonlyMap<string, ResultsOn>,
): Promise<void> {
  const { id, command, hold, edges, at } = pending
  const results = await onEach(edges, async (edge): Promise<EdgeResult> => {
    const head = heads.get(edge)
    if (!head || head.removedAt !== undefined)
      return { edge, outcome: 'unreachable', detail: 'it is no longer configured', entries: [] }
    const resultOn = readings.get(edge)
    return resultOn ? resultOn(hold) : pendingOn(edge)
  })
  // What is stored of one of them can't be read: the next settle replaces it.
  if (results.some(({ outcome }) => outcome === 'pending')) return
  await events.publish({
    type: eventTypes.commandSettled,
    detail: { id: command, hold: holdKey(hold), answeredAt: at, edges: results },
  })
  await store.dropPendingOutcome(id)
}
