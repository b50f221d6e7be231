import type { Screen } from './desk.ts'
import type { EdgeEntriesView, Explanation } from './explain.ts'
import { flagsIn } from './fleet-view.ts'
import type { Shown } from './format.ts'
import { callsText, phaseText } from './show-fleet.ts'
import { table } from './table.ts'

export function showExplanation(explanation: Explanation): Shown {
  return { data: explanation, text: (screen) => textOf(explanation, screen) }
}

function textOf({ target, uris, holds, waiting, edges, drains }: Explanation, screen: Screen): string {
  const names = uris.length === 1 && uris[0] === target ? '' : `: ${uris.join(', ')}`
  const isHeld = holds.length > 0
  return [
    `${target}${names}`,
    isHeld
      ? `held by ${holds.length}: it gets no new calls`
      : 'held by nobody: each edge sends it calls as its list says',
    ...holds.flatMap(({ hold, who, sender, why, force, since, endsAt, undo }) => [
      '',
      `  ${hold}`,
      `    who    ${who}${sender === undefined || sender === who ? '' : ` (${sender})`}`,
      `    why    ${why}${force === undefined ? '' : ` (forced: ${force})`}`,
      `    since  ${since}${endsAt === undefined ? '' : `, until ${endsAt}`}`,
      `    undo   ${undo}`,
    ]),
    ...waiting.flatMap(({ hold, who, why, since, undo }) => [
      '',
      `  ${hold} waits to begin since ${since} (${who}: ${why}); it begins by itself, and is dropped by: ${undo}`,
    ]),
    ...drains.flatMap((drain) => [
      '',
      `drain ${drain.drain}: ${phaseText(drain)}, calls left: ${callsText(drain.callsLeft, drain.unknown)}, deadline ${drain.deadline}`,
      ...drain.notOver.map((line) => `  - ${line}`),
    ]),
    '',
    table(
      [
        { title: 'EDGE', cell: ({ edge }) => edge, least: 10 },
        { title: 'SHOWS', cell: shows },
        { title: 'CALLS', cell: ({ edge }) => callsOn(edge, drains) },
        { title: 'DISABLED SINCE', cell: ({ disabledSince = '-' }) => disabledSince },
        { title: 'READ', cell: ({ readAt = '-' }) => readAt, optional: true },
      ],
      edges,
      screen,
    ),
  ].join('\n')
}

function shows({ entries }: EdgeEntriesView): string {
  return entries.length === 0 ? 'unlisted' : flagsIn(entries)
}

/** Of the drains of one server each counts the same calls. */
function callsOn(edge: string, drains: Explanation['drains']): string {
  const found = drains.flatMap(({ edges }) => edges.filter((each) => each.edge === edge))
  if (found.length === 0) return '-'
  const known = found.flatMap(({ calls }) => calls ?? [])
  return known.length === 0 ? 'unknown' : String(Math.max(...known))
}
