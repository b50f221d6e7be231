import type { CommandInput } from '../functions/contracts/command.ts'
import type { Deployed, Desk } from './desk.ts'
import { exitCodes, Stop } from './exit-codes.ts'
import { targetNamed } from './explain.ts'
import { lookAround, unlessUnread } from './look-around.ts'

/**
 * What names nothing is not sent: it would leave a dead letter. Where an edge can't be read, or the store, it
 * is for the control plane to know.
 * @throws Stop
 */
export async function refuseUnknown(desk: Desk, deployed: Deployed, command: CommandInput): Promise<void> {
  if ('destination' in command && command.destination !== undefined)
    return refuseUnlisted(desk, deployed, command.destination)
  const { command: name } = command
  if (name !== 'reload' && name !== 'may-restart') return
  const heads = await unlessUnread(() => deployed.shelf.edgeHeads())
  const ids = heads?.found.flatMap(({ edge, removedAt }) => (removedAt === undefined ? [edge] : [])) ?? []
  const { edge } = command
  if (edge === undefined || ids.length === 0 || ids.includes(edge)) return
  throw refusal(`no edge is called ${JSON.stringify(edge)}; there are: ${ids.join(', ')}`, 'added')
}

async function refuseUnlisted(desk: Desk, deployed: Deployed, target: string): Promise<void> {
  const read = await unlessUnread(() => lookAround(deployed, desk.clock.now()))
  const edges = read?.found.edges.filter(({ head }) => head.removedAt === undefined) ?? []
  const isListRead = edges.length > 0 && edges.every(({ head, listing }) => !head.unreadable && listing)
  if (!read || !isListRead) return
  try {
    targetNamed(target, read.found)
  } catch (error) {
    if (error instanceof Stop) throw refusal(error.message, 'listed')
    throw error
  }
}

function refusal(why: string, came: string): Stop {
  return new Stop(
    `refused: ${why}. It was not sent; what was ${came} within the last minute is known a minute later`,
    exitCodes.refused,
  )
}
