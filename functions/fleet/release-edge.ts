import type { ReleaseCommand } from '../contracts/command.ts'
import type { CommandOutcome } from '../contracts/events.ts'
import { eventTypes } from '../contracts/names.ts'
import type { EdgeRelease } from '../control/edge-release.ts'
import { CommandRefused, EdgeError } from '../control/errors.ts'
import type { Sender } from '../control/sender.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { planRelease } from './plan-commands.ts'

/**
 * Lets drains go on without an edge that is no longer configured, on an operator's word that its calls are
 * over or lost.
 * @throws CommandRefused while it is configured, or where it never was; why the list of edges is refused,
 * where it is: the last good one may be too old
 */
export async function releaseEdge(
  ports: Pick<EdgePorts, 'store' | 'fleet' | 'events' | 'clock' | 'ids' | 'config'>,
  command: ReleaseCommand,
  order: string,
  sender?: Sender,
): Promise<CommandOutcome<'release'>> {
  const { edge, requestedBy: who, reason: why } = command
  const listRefused = await ports.fleet.reread()
  if (listRefused) throw listRefused
  const edges = await ports.fleet.edges()
  if (edges.some(({ id }) => id === edge))
    throw new CommandRefused(
      `edge "${edge}" is configured, so its calls can be counted: only one whose parameter has been removed can be released`,
    )
  const head = (await ports.store.edgeHeads()).find((each) => each.edge === edge)
  if (!head)
    throw new CommandRefused(`nobody has ever known an edge "${edge}": name it as its parameter was called`)
  if (command.dryRun) return { result: 'dry-run', edge, ...(await planRelease(ports, head)) }
  const at = ports.clock.now()
  const release: EdgeRelease = { edge, who, ...(sender && { sender }), why, at, order }
  if ((await ports.store.putRelease(release)) === 'stale') return { result: 'stale', edge }
  await ports.events.publish({ type: eventTypes.edgeReleased, detail: { edge, who, sender, why } })
  await endWrites(ports, edge)
  return { result: 'released', edge }
}

/** For so long the records are read and written, ms. */
const leaseMs = 5000

/**
 * On that word no write of ours arrives there any more: a `D` that is read under another identity, of a new
 * machine, is its list's own.
 */
async function endWrites(
  { store, clock, ids }: Pick<EdgePorts, 'store' | 'clock' | 'ids'>,
  edge: string,
): Promise<void> {
  const now = clock.now()
  const generation = await store.takeEdge(edge, ids.next(), now, now + leaseMs)
  if (generation === undefined) throw new EdgeError(edge, 'busy', 'another run has the edge')
  const records = (await store.edgeRecords(edge)) ?? []
  const ended = records.map((record) => {
    if (record.kind === 'guard') return record
    const { sent: _, ...rest } = record
    return rest
  })
  await store.putEdgeRecords(edge, generation, ended)
  await store.giveUpEdge(edge, generation, 0)
}

/** Ends the release of each edge that is configured again: what it carries is waited for again. */
export async function endReleases(
  ports: Pick<EdgePorts, 'store' | 'fleet' | 'events' | 'clock'>,
): Promise<void> {
  const releases = await ports.store.releases()
  if (!(await configured(ports, releases))) return
  // The list in hand may be from before the edge was removed.
  if (await ports.fleet.reread()) return
  for (const release of releases) {
    if (!(await configured(ports, [release]))) continue
    const { edge, order, who, sender, why } = release
    const ended = { ...release, order: `${order}#ended`, ended: { at: ports.clock.now() } }
    if ((await ports.store.putRelease(ended)) === 'stale') continue
    await ports.events.publish({ type: eventTypes.edgeReleaseEnded, detail: { edge, who, sender, why } })
  }
}

async function configured(
  ports: Pick<EdgePorts, 'fleet'>,
  releases: readonly EdgeRelease[],
): Promise<boolean> {
  if (releases.length === 0) return false
  const edges = await ports.fleet.edges()
  return releases.some((release) => edges.some(({ id }) => id === release.edge))
}
