import stringWidth from 'string-width'
import type { Deployed, Desk, Screen } from '../desk/desk.ts'
import { rest } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { type Format, print, type Shown, wrapped } from '../desk/format.ts'
import { outlasting } from '../desk/outlast.ts'
import { showExplanation } from '../show/show-explanation.ts'
import { showDestinations, showDrains, showEdges, showHolds, showStatus } from '../show/show-fleet.ts'
import { showOutcome } from '../show/show-outcome.ts'
import { explain } from '../views/explain.ts'
import { destinationViews, fleetView } from '../views/fleet-view.ts'
import { clearanceRules, edgeRecords, lookAround, type Stored } from '../views/look-around.ts'
import { clockDoubt } from '../views/own-clock.ts'
import { tellUnread } from './history.ts'

export const kinds = ['drains', 'holds', 'edges', 'destinations'] as const
export type Kind = (typeof kinds)[number]

/** Between two pictures of `status -w`. */
const redrawMs = 3000
const goesOn = 'what is under way goes on'
const clearScreen = '\u001b[H\u001b[2J'

/** Only `status` has a place for what can't be read, or may not be right. */
async function stored(desk: Desk, deployed: Deployed): Promise<Stored> {
  const found = await lookAround(deployed, desk.clock.now())
  tellUnread(desk, found.unread)
  const doubt = clockDoubt(found)
  if (doubt !== undefined) desk.err(`${wrapped(doubt, desk.errColumns)}\n`)
  return found
}

export async function status(
  desk: Desk,
  deployed: Deployed,
  { output, watch }: { readonly output: Format; readonly watch: boolean },
): Promise<ExitCode> {
  // In one write with what follows, so that nothing flickers.
  const cleared = { ...desk, out: (text: string) => desk.out(`${clearScreen}${topOf(text, desk.screen)}`) }
  const isTable = ['table', 'wide'].includes(output)
  const isPicture = desk.screen.isTerminal && isTable
  let isNoted = false
  for (;;) {
    const look = () => lookAround(deployed, desk.clock.now())
    const found = await (watch ? outlasting(desk, look, { everyMs: redrawMs, goesOn }) : look())
    isNoted = print(watch && isPicture ? cleared : desk, showStatus(fleetView(found)), output, isNoted)
    if (!watch) return exitCodes.done
    await rest(desk, redrawMs, goesOn)
    if (!desk.screen.isTerminal && isTable) desk.out('\n')
  }
}

/**
 * The beginning of what is higher than the terminal, which would leave its end alone there, and how much is
 * below.
 */
function topOf(text: string, { columns = Number.POSITIVE_INFINITY, rows }: Screen): string {
  if (rows === undefined) return text
  const lines = text.trimEnd().split('\n')
  // A line that is too long goes on below, and the last row is the cursor's.
  const ends: number[] = []
  let height = 0
  for (const line of lines) {
    height += Math.max(1, Math.ceil(stringWidth(line) / columns))
    ends.push(height)
  }
  if (height < rows) return text
  const fitting = ends.filter((end) => end <= rows - 2)
  const more = `${height - (fitting.at(-1) ?? 0)} more rows`
  return `${[...lines.slice(0, fitting.length), more].join('\n')}\n`
}

export async function get(desk: Desk, deployed: Deployed, kind: Kind, output: Format): Promise<ExitCode> {
  const all = await stored(desk, deployed)
  print(desk, listOf(kind, all), output)
  const unread = all.readings.edges.flatMap((read) =>
    read.readable ? [] : [`${read.edge} (${read.reason})`],
  )
  if (kind === 'destinations' && unread.length > 0)
    desk.err(`${wrapped(`as it was read last, or not at all: ${unread.join(', ')}`, desk.errColumns)}\n`)
  if (kind === 'drains' && all.waiting.length > 0)
    desk.err(`waiting to begin: ${all.waiting.length}, which ${deployed.kdc} status shows\n`)
  return exitCodes.done
}

function listOf(kind: Kind, all: Stored): Shown {
  switch (kind) {
    case 'drains':
      return showDrains(fleetView(all))
    case 'holds':
      return showHolds(fleetView(all))
    case 'edges':
      return showEdges(fleetView(all))
    case 'destinations':
      return showDestinations(destinationViews(all))
    default:
      return kind satisfies never
  }
}

/** @throws Stop where nothing is kept under the id */
export async function getCommand(
  desk: Desk,
  { shelf, kdc }: Deployed,
  id: string,
  output: Format,
): Promise<ExitCode> {
  const outcome = await shelf.commandOutcome(id)
  if (!outcome)
    throw new Stop(
      `no outcome of a command ${id}: it was not answered yet, its id is another, or it is older than 14 days`,
    )
  print(desk, showOutcome(outcome, { kdc }), output)
  return exitCodes.done
}

export async function explainTarget(
  desk: Desk,
  deployed: Deployed,
  target: string,
  output: Format,
): Promise<ExitCode> {
  const all = await stored(desk, deployed)
  const [records, rules] = await Promise.all([edgeRecords(deployed, all), clearanceRules(deployed, all)])
  print(desk, showExplanation(explain(target, all, records, rules)), output)
  return exitCodes.done
}
