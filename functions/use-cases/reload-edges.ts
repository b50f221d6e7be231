import type { ReloadCommand } from '../contracts/command.ts'
import { eventTypes } from '../contracts/names.ts'
import { CommandRefused, EdgeError } from '../control/errors.ts'
import { lookup } from '../control/listing.ts'
import { isDisabled } from '../control/plan.ts'
import { asEdgeError, disableTogether, onEveryEdge, type Readout, readLists, reloadLease } from './edges.ts'
import { allowance, paced } from './paced.ts'
import type { CommandOutcomeRow, Edge, Ports } from './ports.ts'
import { undoIfLifted } from './restore.ts'

/** Kamailio's `reload_delta` is 5 s by default: earlier than 6 s after the last one it answers `Ongoing reload`. */
const afterReloadDeltaMs = 6_000

interface Reloaded {
  readonly edge: string
  readonly outcome: 'reloaded' | 'failed' | 'not-tried'
  readonly detail?: string
  readonly listed?: { readonly before: number; readonly after: number }
}

/**
 * Reloads one edge, or every edge: one alone first, and the others only if it still lists something, since an empty file
 * answers Ok too and wipes the list. Never together with our own writes; the holds are set again at once after it.
 */
export async function reloadEdges(ports: Ports, command: ReloadCommand): Promise<CommandOutcomeRow> {
  const all = await ports.fleet.edges()
  const edges = command.edge === undefined ? all : all.filter((edge) => edge.id === command.edge)
  const [first, ...others] = edges
  if (!first)
    throw new CommandRefused(
      `no edge is called "${command.edge}"; there are: ${all.map((edge) => edge.id).join(', ')}`,
    )
  if (command.dryRun) return { result: 'dry-run', edges: (await readLists(edges)).map(readable) }
  const canary = await reloadOne(ports, first, 0)
  const rest =
    canary.outcome === 'reloaded'
      ? await onEveryEdge(others, (edge) => reloadOne(ports, edge, others.length - 1))
      : others.map((edge) => ({
          edge: edge.id,
          outcome: 'not-tried' as const,
          detail: `edge ${first.id} failed first`,
        }))
  const results: Reloaded[] = [canary, ...rest]
  await ports.events.publish({
    type: eventTypes.reloadFinished,
    detail: { requestedBy: command.requestedBy, reason: command.reason, edges: results },
  })
  return {
    result: results.every(({ outcome }) => outcome === 'reloaded') ? 'reloaded' : 'incomplete',
    edges: results,
  }
}

function readable(readout: Readout): CommandOutcomeRow {
  const { id: edge } = readout.edge
  return 'listed' in readout
    ? { edge, listed: readout.listed.length }
    : { edge, unreadable: readout.error.message }
}

/** @param besides how many other edges are reloaded at the same time */
async function reloadOne(ports: Ports, edge: Edge, besides: number): Promise<Reloaded> {
  const { store, clock, config, ids } = ports
  const owner = ids.next()
  const writesEndMs = config.timers.rpcTimeoutSeconds * 1000
  const until = clock.now() + 4 * writesEndMs + 2 * afterReloadDeltaMs
  if (!(await store.takeLease(reloadLease(edge), owner, clock.now(), until)))
    return { edge: edge.id, outcome: 'failed', detail: 'another reload of this edge is running' }
  let reloaded: Reloaded
  try {
    const before = (await edge.list()).destinations
    // A write that began before the lease was seen ends within its timeout.
    await clock.sleep(writesEndMs)
    await reloadPatiently(ports, edge)
    const after = (await edge.list()).destinations
    reloaded = { edge: edge.id, outcome: 'reloaded', listed: { before: before.length, after: after.length } }
  } catch (error) {
    const { fault, message } = asEdgeError(error)
    const detail =
      fault === 'empty-list'
        ? `${message}: its list file or table is empty; fill it and reload again`
        : message
    reloaded = { edge: edge.id, outcome: 'failed', detail }
  } finally {
    await store.releaseLease(reloadLease(edge), owner)
  }
  await holdAgain(ports, [edge], besides)
  // One whose answer was lost may replace the states only now, and undo what was read back.
  await clock.sleep(config.timers.readBackGapSeconds * 1000)
  await holdAgain(ports, [edge], besides)
  return reloaded
}

async function reloadPatiently(ports: Pick<Ports, 'clock'>, edge: Edge): Promise<void> {
  try {
    await edge.reload()
  } catch (error) {
    if (!(error instanceof EdgeError && error.fault === 'busy')) throw error
    await ports.clock.sleep(afterReloadDeltaMs)
    await edge.reload()
  }
}

/**
 * What is held and open there is disabled again: a reload resets every state to the file's, and a new edge knows no hold. As much as
 * the way to the edges takes in four RPC timeouts, shared with the edges that are reloaded `besides`; the rest is the next round's.
 */
export async function holdAgain(ports: Ports, edges: readonly Edge[], besides = 0): Promise<void> {
  const { clock, config, fleet, store } = ports
  const until = clock.now() + 4 * config.timers.rpcTimeoutSeconds * 1000
  const holds = await store.holds()
  const found = (await readLists(edges)).flatMap((readout) => {
    // One that can't be read now is read by the next round.
    if (!('listed' in readout)) return []
    const find = lookup(readout.listed)
    const open = holds.filter((hold) => !hold.lifted && find(hold).some((entry) => !isDisabled(entry)))
    return open.length > 0 ? [{ edge: readout.edge, open }] : []
  })
  const each = allowance(fleet.requestsPerSecond, found.length + besides, until)
  const openOf = new Map(found.map(({ edge, open }) => [edge, open]))
  await onEveryEdge([...openOf.keys()], (edge) =>
    paced(
      clock,
      openOf.get(edge) ?? [],
      each,
      () => requestsOfOne,
      async (batch) => {
        await disableTogether(ports, edge, batch)
        for (const hold of batch) await undoIfLifted(ports, hold)
      },
    ),
  )
}

/** Of each hold: the guard is set and read, a state set in two groups. */
const requestsOfOne = 4
