import type { CommandInput } from '../../functions/contracts/command.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { targetNamed } from '../views/explain.ts'
import { lookAround, unlessUnread } from '../views/look-around.ts'

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
  const targets = commands.flatMap((each) => ('destination' in each ? (each.destination ?? []) : []))
  if (targets.length > 0) await refuseUnlisted(desk, deployed, targets)
  for (const each of commands)
    if (each.command === 'reload' || each.command === 'may-restart') await refuseEdge(deployed, each.edge)
}

async function refuseEdge({ shelf }: Deployed, edge: string | undefined): Promise<void> {
  const heads = await unlessUnread(() => shelf.edgeHeads())
  const ids = heads?.found.flatMap(({ edge, removedAt }) => (removedAt === undefined ? [edge] : [])) ?? []
  if (edge === undefined || ids.length === 0 || ids.includes(edge)) return
  throw refusal(`no edge is called ${JSON.stringify(edge)}; there are: ${ids.join(', ')}`, 'added')
}

async function refuseUnlisted(desk: Desk, deployed: Deployed, targets: readonly string[]): Promise<void> {
  const read = await unlessUnread(() => lookAround(deployed, desk.clock.now()))
  const edges = read?.found.edges.filter(({ head }) => head.removedAt === undefined) ?? []
  const isListRead = edges.length > 0 && edges.every(({ head, listing }) => !head.unreadable && listing)
  if (!read || !isListRead) return
  try {
    for (const target of targets) targetNamed(target, read.found)
  } catch (error) {
    if (error instanceof Stop) throw refusal(error.message, 'listed')
    throw error
  }
}

function refusal(why: string, came: string): Stop {
  return new Stop(
    `refused: ${why}. Nothing was sent; what was ${came} within the last minute is known a minute later`,
    exitCodes.refused,
  )
}
