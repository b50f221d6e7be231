import type { ReloadCommand } from '../contracts/command.ts'
import type { CommandOutcome } from '../contracts/events.ts'
import { eventTypes } from '../contracts/names.ts'
import { type Reloaded, reloadChange } from '../control/change.ts'
import { asEdgeError, EdgeError, neverAnswered, StaleGeneration, unknownEdge } from '../control/errors.ts'
import type { Sender } from '../control/sender.ts'
import type { Settled } from '../control/settled.ts'
import type { Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'
import type { Lease } from './edge-lease.ts'
import { planReload } from './plan-commands.ts'
import { type FleetNeeds, type SettleResult, settleEdge } from './settle-fleet.ts'
import { wakeDrains } from './wake-drains.ts'

/**
 * Kamailio's `reload_delta` is 5 s by default: earlier than 6 s after the last one it answers `Ongoing
 * reload`.
 */
const afterReloadDeltaMs = 6_000

/**
 * Reloads one edge, or every edge: one alone first, and the others only if it still lists something, since an
 * empty file answers Ok too and wipes the list. Never together with our own writes; the holds are set again
 * at once after it.
 */
export async function reloadEdges(
  ports: FleetNeeds,
  command: ReloadCommand,
  order: string,
  sender?: Sender,
): Promise<CommandOutcome<'reload'>> {
  const all = await ports.fleet.edges()
  const edges = command.edge === undefined ? all : all.filter((edge) => edge.id === command.edge)
  const [first, ...others] = edges
  if (!first)
    throw unknownEdge(
      command.edge,
      all.map(({ id }) => id),
    )
  if (command.dryRun) return { result: 'dry-run', edges: await planReload(ports, edges) }
  const emptied = new Set<string>()
  const canary = await reloadOne(ports, first, emptied)
  const isShorter = canary.listed !== undefined && canary.listed.after < canary.listed.before
  const rest =
    canary.outcome === 'reloaded' && !isShorter
      ? await onEach(others, (edge) => reloadOne(ports, edge, emptied))
      : others.map((edge) => ({
          edge: edge.id,
          outcome: 'not-tried' as const,
          detail: isShorter
            ? `the list of edge ${first.id} became shorter; if that is meant, reload the others one by one`
            : `edge ${first.id} failed first`,
        }))
  await wakeDrains(ports, emptied)
  const results: Reloaded[] = [canary, ...rest]
  const { id, requestedBy, reason } = command
  const whose = { who: requestedBy, ...(sender && { sender }), ...(reason !== undefined && { why: reason }) }
  await ports.store.putChange(reloadChange(order, { id, ...whose }, results))
  await ports.events.publish({
    type: eventTypes.reloadFinished,
    detail: { requestedBy, sender, reason, edges: results },
  })
  return {
    result: results.every(({ outcome }) => outcome === 'reloaded') ? 'reloaded' : 'incomplete',
    edges: results,
  }
}

/** Under the edge's lease: reloaded, and settled at once, since a reload resets every state to the file's. */
async function reloadOne(ports: FleetNeeds, edge: Edge, emptied: Set<string>): Promise<Reloaded> {
  let reloaded: Reloaded = { edge: edge.id, outcome: 'failed' }
  const settled = await settleEdge(ports, edge, {
    ...{ waits: true, emptied },
    first: async (own, lease) => {
      reloaded = await reloadAndList(ports, own, lease)
    },
  })
  const open = problemOf(settled)
  if (open === undefined) return reloaded
  return {
    ...reloaded,
    outcome: 'failed',
    detail: [...new Set([reloaded.detail, open].filter(Boolean))].join('; '),
  }
}

function problemOf(result: SettleResult): string | undefined {
  if ('error' in result) return result.error.message
  return 'left' in result ? 'another run has the edge' : openOf(result.reading)
}

/** What is held and open all the same, in words. */
function openOf({ entries }: Settled): string | undefined {
  const open = entries.flatMap(({ set, uri, refused }) =>
    refused === undefined ? [] : `${uri} in set ${set} is not as it is to be: ${refused}`,
  )
  return open.length === 0 ? undefined : open.slice(0, 5).join('; ')
}

async function reloadAndList(ports: Pick<EdgePorts, 'clock'>, edge: Edge, lease: Lease): Promise<Reloaded> {
  try {
    const before = await lengthOf(edge)
    await reloadPatiently(ports, edge, lease)
    const after = lengthOfList(await edge.list())
    return { edge: edge.id, outcome: 'reloaded', listed: { before, after } }
  } catch (error) {
    if (error instanceof StaleGeneration) throw error
    const { fault, message } = asEdgeError(error)
    const detail =
      fault === 'empty-list'
        ? `${message}: its list file or table is empty; fill it and reload again`
        : message
    return { edge: edge.id, outcome: 'failed', detail }
  }
}

/** What can't be read counts, too. A list that was emptied is what a reload mends. */
async function lengthOf(edge: Edge): Promise<number> {
  try {
    return lengthOfList(await edge.list())
  } catch (error) {
    if (error instanceof EdgeError && error.fault === 'empty-list') return 0
    throw error
  }
}

function lengthOfList({ destinations, opaque }: Awaited<ReturnType<Edge['list']>>): number {
  return destinations.length + opaque.length
}

async function reloadPatiently({ clock }: Pick<EdgePorts, 'clock'>, edge: Edge, lease: Lease): Promise<void> {
  try {
    await reload(edge, lease)
  } catch (error) {
    if (!(error instanceof EdgeError && error.fault === 'busy')) throw error
    await clock.sleep(afterReloadDeltaMs)
    await reload(edge, lease)
  }
}

/** One that was not answered may still be done, as any write. */
async function reload(edge: Edge, lease: Lease): Promise<void> {
  try {
    await edge.reload()
  } catch (error) {
    if (error instanceof EdgeError && neverAnswered.includes(error.fault)) lease.unanswered = true
    throw error
  }
}
