import { stringify } from 'yaml'
import { type Deployed, type Desk, rest } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { type Format, quotable, wrapped } from '../desk/format.ts'
import type { OutputOptions } from '../desk/options.ts'
import { outlasting } from '../desk/outlast.ts'
import { inShell } from '../desk/shell-word.ts'
import { isoTime } from '../desk/times.ts'
import { callsText, phaseText, serverName, shortName } from '../show/show-fleet.ts'
import { changeView, onWhat, whyOf } from '../show/show-history.ts'
import { explain } from '../views/explain.ts'
import { type FleetView, fleetView } from '../views/fleet-view.ts'
import { lookAround, type Stored } from '../views/look-around.ts'
import { recentChanges, tellUnread } from './history.ts'
import { placedIn, type Step, stepAtEnd, stepOf, whereOf } from './watch-drain.ts'

/** Between two looks at what is stored. */
const pollMs = 3000
const goesOn = 'what is under way goes on'

/** One line of it: what is so, or came about. */
interface Sighting {
  readonly at: string
  readonly what: 'drain' | 'edge' | 'change'
  readonly on: string
  readonly is: string
  /** what `-o json` has besides, under the name of `what` */
  readonly of?: unknown
}

/** Prints what there is, then each change as it comes, until somebody stops it, or the one drain is over. */
export async function watch(
  desk: Desk,
  deployed: Deployed,
  target: string | undefined,
  options: OutputOptions,
): Promise<ExitCode> {
  return target === undefined
    ? await watchAll(desk, deployed, options)
    : await watchOne(desk, deployed, target, options)
}

async function watchAll(desk: Desk, deployed: Deployed, options: OutputOptions): Promise<never> {
  let shown = new Map<string, Sighting>()
  const recent = () => recentChanges(deployed.shelf, desk.clock.now())
  let known = new Set((await seen(desk, recent)).changes.map(({ id }) => id))
  const told = new Set<string>()
  for (;;) {
    const { stored, changes, unread } = await seen(desk, async () => ({
      stored: await lookAround(deployed, desk.clock.now()),
      ...(await recent()),
    }))
    const now = stored.at
    const fresh = [...stored.unread, ...unread].filter((row) => !told.has(row))
    tellUnread(desk, fresh)
    for (const row of fresh) told.add(row)
    for (const change of changes.filter(({ id }) => !known.has(id))) {
      const of = changeView(change)
      const is = `${of.kind} by ${shortName(of.who)}: ${whyOf(of)}`
      print(desk, { at: of.at, what: 'change', on: onWhat(of), is, of }, options)
    }
    known = new Set([...known, ...changes.map(({ id }) => id)])
    const state = stateOf(fleetView(stored))
    for (const [key, sighting] of state)
      if (sighting.is !== shown.get(key)?.is) print(desk, sighting, options)
    // What can't be read is not over.
    const gone = stored.unread.length > 0 ? [] : [...shown].filter(([key]) => !state.has(key))
    for (const [, { what, on }] of gone) print(desk, { at: isoTime(now), what, on, is: 'over' }, options)
    shown = stored.unread.length > 0 ? new Map([...shown, ...state]) : state
    await rest(desk, pollMs, goesOn)
  }
}

/** A network that is away for a while ends no watch. */
function seen<T>(desk: Desk, look: () => Promise<T>): Promise<T> {
  return outlasting(desk, look, { everyMs: pollMs, goesOn })
}

/** All that is followed, by a name of its own. */
function stateOf({ edges, drains, waiting, at }: FleetView): Map<string, Sighting> {
  return new Map<string, Sighting>([
    ...edges.map((of): [string, Sighting] => [
      `edge ${of.edge}`,
      {
        at,
        what: 'edge',
        on: of.edge,
        is: of.reason === undefined ? of.state : `${of.state}: ${of.reason}`,
        of,
      },
    ]),
    ...waiting.map((of): [string, Sighting] => [
      `drain ${of.hold}`,
      { at, what: 'drain', on: serverName(of), is: `waits to begin (${shortName(of.who)}: ${of.why})`, of },
    ]),
    ...drains.map((of): [string, Sighting] => [
      `drain ${of.drain}`,
      {
        ...{ at, what: 'drain', on: serverName(of), of },
        is: `${phaseText(of)}: calls left: ${callsText(of.callsLeft, of.unknown)}${whereOf(of)}`,
      },
    ]),
  ])
}

async function watchOne(
  desk: Desk,
  deployed: Deployed,
  target: string,
  options: OutputOptions,
): Promise<ExitCode> {
  const hold = drainOf(target, await seen(desk, () => lookAround(deployed, desk.clock.now())))
  const words = inShell(target)
  let printed = ''
  let hasBegun = false
  for (;;) {
    const { stored, line, exit } = await seen(desk, async () => {
      const stored = await lookAround(deployed, desk.clock.now(), hold)
      hasBegun ||= placedIn(stored, { hold }) !== undefined
      const watched = { hold, words, hasBegun, goal: 'drained', giveUpAt: undefined } as const
      const step = stepOf(stored, watched, stored.at)
      return { stored, ...(step.exit === exitCodes.error ? await endOf(deployed, hold, step) : step) }
    })
    const now = stored.at
    const of = fleetView(stored).drains.find(({ drain }) => drain === hold)
    if (line !== printed) print(desk, { at: isoTime(now), what: 'drain', on: target, is: line, of }, options)
    printed = line
    if (exit !== undefined) return exit
    await rest(desk, pollMs, goesOn)
  }
}

/** Its hold is gone: that of a lifecycle action goes when the action is answered. */
async function endOf({ shelf }: Deployed, hold: string, lifted: Step): Promise<Step> {
  const phase = (await shelf.drain(hold))?.phase
  return phase?.name === 'ended' ? stepAtEnd(phase.because, lifted) : lifted
}

/** Of several the one at whose end the machine goes. @throws Stop where nothing drains it */
function drainOf(target: string, stored: Stored): string {
  const { kdc } = stored
  const { drains, waiting } = explain(target, stored, new Map())
  const ids = [...drains.map(({ drain }) => drain), ...waiting.map(({ hold }) => hold)]
  const found = ids.find((id) => id.startsWith('lifecycle/')) ?? ids[0]
  if (found !== undefined) return found
  throw new Stop(
    `nothing drains ${target}: ${kdc} explain ${inShell(target)} shows who holds it, ${kdc} drain begins one`,
  )
}

function print(desk: Desk, sighting: Sighting, { output }: OutputOptions): void {
  desk.out(`${textOf(sighting, output, desk.screen.columns)}\n`)
}

function textOf({ of, ...sighting }: Sighting, output: Format, columns: number | undefined): string {
  const { at, what, on, is } = sighting
  const data = { ...sighting, ...(of !== undefined && { [what]: of }) }
  const line = quotable(`${at}  ${what.padEnd(6)}  ${on}  ${is}`)
  switch (output) {
    case 'json':
    case 'jsonl':
      return JSON.stringify(data)
    case 'yaml':
      return `---\n${stringify(JSON.parse(JSON.stringify(data)))}`.trimEnd()
    case 'wide':
      return line
    case 'table':
      return wrapped(line, columns)
    default:
      return output satisfies never
  }
}
