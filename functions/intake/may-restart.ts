import type { MayRestartCommand } from '../contracts/command.ts'
import type { CommandOutcome } from '../contracts/events.ts'
import { unknownEdge } from '../control/errors.ts'
import { callsUp, type RestartFinding, restartFindings, restartResult } from '../control/may-restart.ts'
import { type EdgeHead, readable } from '../control/reading.ts'
import { wantedOf } from '../control/wanted.ts'
import type { Ports } from '../ports/ports.ts'
import { openDrains } from '../stored/open-drains.ts'
import { readBack } from '../stored/read-back.ts'

/**
 * Whether an edge's Kamailio may be restarted now, from a reading that was begun after the question. It
 * changes nothing.
 * @throws CommandRefused where no such edge is configured
 */
export async function mayRestart(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>,
  { edge }: MayRestartCommand,
): Promise<CommandOutcome<'may-restart'>> {
  const { store, clock } = ports
  const askedAt = clock.now()
  await readBack(ports, { notBefore: askedAt })
  const configured = (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
  const head = configured.find((each) => each.edge === edge)
  if (!head)
    throw unknownEdge(
      edge,
      configured.map((each) => each.edge),
    )
  const why = whyUnread(head, askedAt)
  const reading = why === undefined ? readable(await store.reading(edge)) : undefined
  const listing = readable(await store.listing(edge))
  if (!reading || !listing)
    return { result: 'unknown', edge, findings: [unread(why ?? 'what is stored of it can not be read')] }
  const { groups, timers } = ports.config
  const findings = restartFindings({
    reading,
    held: wantedOf(await store.holds(), listing.listed).held.size,
    drains: await openDrains(ports),
    countThemselves: groups.flatMap(({ name, callCount }) => (callCount ? name : [])),
    longestCallSeconds: timers.longestCallSeconds,
  })
  const calls = callsUp(reading)
  return {
    ...{ result: restartResult(findings), edge, readAt: reading.askedAt },
    restoresDialogs: reading.restoresDialogs,
    ...(calls !== undefined && { calls }),
    findings,
  }
}

function whyUnread({ askedAt, unreadable }: EdgeHead, since: number): string | undefined {
  if (unreadable) return unreadable.reason
  return askedAt < since ? 'it was not read in time: ask again' : undefined
}

function unread(words: string): RestartFinding {
  return { finding: 'unreadable', means: 'unknown', words }
}
