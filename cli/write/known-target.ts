import type { CommandInput } from '../../functions/contracts/command.ts'
import type { Hold } from '../../functions/control/hold.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { targetNamed } from '../views/explain.ts'
import { lookAround, requestedIn, type Stored, unlessUnread } from '../views/look-around.ts'
import { requestedBy } from './send-command.ts'

/**
 * What names nothing is not sent: it would leave a dead letter. Of several none is sent then. Where an edge
 * can't be read, or the store, it is for the control plane to know.
 * @throws Stop
 */
export async function refuseUnknown(
  desk: Desk,
  deployed: Deployed,
  commands: readonly CommandInput[],
): Promise<void> {
  const ofServers = commands.filter((each) => each.command === 'drain' || each.command === 'activate')
  const named = ofServers.filter(({ destination, set }) => destination !== undefined || set !== undefined)
  if (named.length > 0) await refuseUnlisted(desk, deployed, named)
  for (const each of ofServers) await refuseGroup(deployed, each)
  for (const each of commands) {
    if (each.command === 'reload' || each.command === 'may-restart') await refuseEdge(deployed, each.edge)
    if (each.command === 'release') await refuseRelease(deployed, each.edge)
  }
}

type OfServers = Extract<CommandInput, { readonly command: 'drain' | 'activate' }>

/** Whether one of ours has a server is EC2's to know. What one holds of a former one can be lifted. */
async function refuseGroup(deployed: Deployed, { command, group }: OfServers): Promise<void> {
  if (group === undefined) return
  const read = await unlessUnread(async () => (await deployed.surroundings()).settings())
  const ours = read?.found.control.groups.map(({ name }) => name)
  if (!ours || ours.includes(group)) return
  if (command === 'activate' && (await mayHoldOwn(deployed, group))) return
  const there = ours.length > 0 ? `there are: ${ours.join(', ')}` : 'the settings name none'
  throw refused(`${JSON.stringify(group)} is no group of ours; ${there}. Nothing was sent`)
}

async function mayHoldOwn(deployed: Deployed, group: string): Promise<boolean> {
  const read = await unlessUnread(() => requestedIn(deployed.shelf))
  if (!read) return true
  const { holds, waiting } = read.found
  const requested = [...holds, ...waiting.drains.map(({ hold }) => hold)]
  const who = await requestedBy(deployed)
  const isOwn = (hold: Hold) => hold.source === 'operator' && hold.who === who
  return requested
    .filter(isOwn)
    .some((hold) => hold.group === group || (hold.of && 'group' in hold.of && hold.of.group === group))
}

/** Only an edge that was there, and is configured no more, can be released. */
async function refuseRelease({ shelf }: Deployed, edge: string): Promise<void> {
  const heads = (await unlessUnread(() => shelf.edgeHeads()))?.found ?? []
  const head = heads.find((each) => each.edge === edge)
  if (heads.length === 0 || head?.removedAt !== undefined) return
  const removed = heads.flatMap((each) => (each.removedAt === undefined ? [] : [each.edge]))
  const there = removed.length > 0 ? `those that can be released: ${removed.join(', ')}` : 'none was removed'
  throw head
    ? refusal(`edge ${JSON.stringify(edge)} is configured: remove its parameter first; ${there}`, 'removed')
    : refusal(`no edge was ever called ${JSON.stringify(edge)}; ${there}`, 'removed')
}

async function refuseEdge({ shelf }: Deployed, edge: string | undefined): Promise<void> {
  const heads = await unlessUnread(() => shelf.edgeHeads())
  const ids = heads?.found.flatMap(({ edge, removedAt }) => (removedAt === undefined ? [edge] : [])) ?? []
  if (edge === undefined || ids.length === 0 || ids.includes(edge)) return
  throw refusal(`no edge is called ${JSON.stringify(edge)}; there are: ${ids.join(', ')}`, 'added')
}

async function refuseUnlisted(desk: Desk, deployed: Deployed, named: readonly OfServers[]): Promise<void> {
  const read = await unlessUnread(() => lookAround(deployed, desk.clock.now()))
  const edges = read?.found.edges.filter(({ head }) => head.removedAt === undefined) ?? []
  const isListRead = edges.length > 0 && edges.every(({ head, listing }) => !head.unreadable && listing)
  if (!read || !isListRead) return
  try {
    for (const { destination } of named) if (destination !== undefined) targetNamed(destination, read.found)
  } catch (error) {
    if (error instanceof Stop) throw refusal(error.message, 'listed')
    throw error
  }
  for (const each of named) refuseSet(each, read.found)
}

/** What a drain of the set holds may be listed no more: its activate lifts that all the same. */
function refuseSet({ command, set }: OfServers, { edges, holds, waiting }: Stored): void {
  const requests = [...holds, ...waiting.map(({ hold }) => hold)]
  const isHeld = requests.some(({ of }) => of && 'set' in of && of.set === set)
  if (set === undefined || (command === 'activate' && isHeld)) return
  const sets = new Set(edges.flatMap(({ listing }) => listing?.listed ?? []).map((entry) => entry.set))
  if (sets.has(set)) return
  const there = [...sets].sort((one, other) => one - other).join(', ')
  throw refusal(`no edge lists a destination of set ${set}; there are: ${there}`, 'listed')
}

function refusal(why: string, came: string): Stop {
  return refused(`${why}. Nothing was sent; what was ${came} within the last minute is known a minute later`)
}

function refused(why: string): Stop {
  return new Stop(`refused: ${why}`, exitCodes.refused)
}
