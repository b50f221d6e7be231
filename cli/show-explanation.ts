import type { Screen } from './desk.ts'
import type { EdgeEntriesView, Explanation } from './explain.ts'
import { flagsIn } from './fleet-view.ts'
import type { Shown } from './format.ts'
import { callsText, phaseText, progressText } from './show-fleet.ts'
import { table } from './table.ts'

export function showExplanation(explanation: Explanation): Shown {
  return { data: explanation, text: (screen) => textOf(explanation, screen) }
}

function textOf({ target, uris, holds, waiting, edges, drains }: Explanation, screen: Screen): string {
  const names = uris.length === 1 && uris[0] === target ? '' : `: ${uris.join(', ')}`
  return [
    `${target}${names}`,
    ...headline(holds.length, edges),
    ...holds.flatMap(({ hold, who, sender, why, force, since, endsAt, undo }) => [
      '',
      `  ${hold}`,
      `    who    ${who}${sender === undefined || sender === who ? '' : ` (${sender})`}`,
      `    why    ${why}${force === undefined ? '' : ` (forced: ${force})`}`,
      `    since  ${since}${endsAt === undefined ? '' : `, until ${endsAt}`}`,
      `    undo   ${undo}`,
    ]),
    ...waiting.flatMap(({ hold, who, why, since, undo, next }) => [
      '',
      `  ${hold} waits to begin`,
      `    who    ${who}`,
      `    why    ${why}`,
      `    since  ${since}`,
      ...labelled('next', next),
      `    undo   it is dropped by: ${undo}`,
    ]),
    ...drains.flatMap((drain) => [
      '',
      `drain ${drain.drain}`,
      `    is     ${phaseText(drain)}, calls left: ${callsText(drain.callsLeft, drain.unknown)}${drain.trend === 'unknown' ? '' : `, ${drain.trend}`}`,
      ...labelled('why', drain.notOver),
      ...labelled('next', drain.next),
    ]),
    '',
    table(
      [
        { title: 'EDGE', cell: ({ edge }) => edge, least: 10 },
        { title: 'SHOWS', cell: shows },
        { title: 'SHOWED', cell: showed },
        { title: 'CALLS', cell: ({ edge }) => callsOn(edge, drains) },
        { title: 'DISABLED SINCE', cell: ({ disabledSince = '-' }) => disabledSince },
        { title: 'READ', cell: ({ readAt = '-' }) => readAt, optional: true },
        { title: 'SAME CALLS SINCE', cell: ({ edge }) => sameSince(edge, drains), optional: true },
      ],
      edges,
      screen,
    ),
    ...(edges.some(staysDisabled)
      ? [
          'what showed D before us stays disabled when its last hold is gone: somebody else, or its list, has it so',
        ]
      : []),
  ].join('\n')
}

/** An edge that can't be read may have been restarted, and send it calls again. */
function headline(holds: number, edges: readonly EdgeEntriesView[]): string[] {
  const unread = edges.filter(({ isUnread }) => isUnread)
  const open = edges.filter(
    ({ isUnread, entries }) => !isUnread && entries.some(({ flags }) => !flags.startsWith('D')),
  )
  const doubts = [
    ...(holds > 0 ? open : []).map(
      (edge) => `  ${edge.edge} shows ${shows(edge)}: it may still send it new calls`,
    ),
    ...unread.map(
      ({ edge, readAt = 'no time' }) =>
        `  ${edge} can't be read, and was last at ${readAt}: it may send it new calls`,
    ),
  ]
  if (holds === 0) return ['held by nobody: each edge sends it calls as its list says', ...doubts]
  const kept = doubts.length === 0 ? 'it gets no new calls' : 'no edge is to send it new calls, but'
  return [`held by ${holds}: ${kept}`, ...doubts]
}

function shows({ entries }: EdgeEntriesView): string {
  return entries.length === 0 ? 'unlisted' : flagsIn(entries)
}

/** The label once, and one line each. */
function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `    ${(index === 0 ? label : '').padEnd(7)}${line}`)
}

/** What is given back after the last hold. */
function showed({ entries, recordsUnreadable }: EdgeEntriesView): string {
  if (recordsUnreadable) return 'unreadable'
  const known = entries.flatMap(({ set, showed: flags }) => (flags === undefined ? [] : [{ set, flags }]))
  return known.length === 0 ? '-' : flagsIn(known)
}

function staysDisabled({ entries }: EdgeEntriesView): boolean {
  return entries.some(({ showed: flags = '' }) => flags.startsWith('D'))
}

/** Of the drains of one server each counts the same calls. */
function countedBy(edge: string, drains: Explanation['drains']) {
  const found = drains.flatMap(({ edges }) => edges.filter((each) => each.edge === edge))
  return found.toSorted((a, b) => (b.calls ?? -1) - (a.calls ?? -1))[0]
}

function callsOn(edge: string, drains: Explanation['drains']): string {
  const found = countedBy(edge, drains)
  if (found === undefined) return '-'
  return progressText(found.calls, found.most) ?? String(found.calls ?? 'unknown')
}

function sameSince(edge: string, drains: Explanation['drains']): string {
  return countedBy(edge, drains)?.sameSince ?? '-'
}
