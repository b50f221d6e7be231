import type { Screen } from '../desk/desk.ts'
import { quotable, type Shown, wrapped } from '../desk/format.ts'
import { table } from '../desk/table.ts'
import type { EdgeEntriesView, Explanation } from '../views/explain.ts'
import { flagsIn } from '../views/fleet-view.ts'
import { callsText, phaseText, progressText } from './show-fleet.ts'

export function showExplanation(explanation: Explanation): Shown {
  return { data: explanation, text: (screen) => textOf(quotable(explanation), screen) }
}

function textOf({ target, uris, holds, waiting, edges, drains }: Explanation, screen: Screen): string {
  const names = uris.length === 1 && uris[0] === target ? '' : `: ${uris.join(', ')}`
  const { columns } = screen
  const labelled = (label: string, ...lines: readonly string[]) => labelledIn(columns, label, lines)
  return [
    wrapped(`${target}${names}`, columns),
    ...headline(holds.length, edges, columns),
    ...holds.flatMap(({ hold, who, sender, why, force, since, endsAt, undo }) => [
      '',
      `  ${hold}`,
      ...labelled('who', `${who}${sender === undefined || sender === who ? '' : ` (${sender})`}`),
      ...labelled('why', `${why}${force === undefined ? '' : ` (forced: ${force})`}`),
      ...labelled('since', `${since}${endsAt === undefined ? '' : `, until ${endsAt}`}`),
      undoLine(undo),
    ]),
    ...waiting.flatMap(({ hold, who, why, since, begins, undo, next }) => [
      '',
      `  ${hold} waits to begin`,
      ...labelled('who', who),
      ...labelled('why', why),
      // The place of a window among those that wait is its beginning, which may be ahead.
      ...labelled(begins === undefined ? 'since' : 'from', since),
      ...labelled('next', ...next),
      undoLine(`it is dropped by: ${undo}`),
    ]),
    ...drains.flatMap((drain) => [
      '',
      `drain ${drain.drain}`,
      ...labelled(
        'is',
        `${phaseText(drain)}, calls left: ${callsText(drain.callsLeft, drain.unknown)}${drain.trend === 'unknown' ? '' : `, ${drain.trend}`}`,
      ),
      ...labelled('why', ...drain.notOver),
      ...labelled('next', ...drain.next),
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
          wrapped(
            'what showed D before us stays disabled when its last hold is gone: somebody else, or its list, has it so',
            columns,
          ),
        ]
      : []),
  ].join('\n')
}

/** An edge that can't be read may have been restarted, and send it calls again. */
function headline(holds: number, edges: readonly EdgeEntriesView[], columns: number | undefined): string[] {
  const unread = edges.filter(({ isUnread }) => isUnread)
  const open = edges.filter(
    ({ isUnread, entries }) => !isUnread && entries.some(({ flags }) => !flags.startsWith('D')),
  )
  const doubts = [
    ...(holds > 0 ? open : []).map(
      (edge) => `${edge.edge} shows ${shows(edge)}: it may still send it new calls`,
    ),
    ...unread.map(
      ({ edge, readAt }) =>
        `${edge} ${readAt === undefined ? 'was never read' : `was read last at ${readAt}, and not since`}: it may send it new calls`,
    ),
  ]
  const below = doubts.flatMap((line) => indented('  ', line, columns))
  if (holds === 0) return ['held by nobody: each edge sends it calls as its list says', ...below]
  const kept = doubts.length === 0 ? 'it gets no new calls' : 'no edge is to send it new calls, but'
  return [`held by ${holds}: ${kept}`, ...below]
}

function shows({ entries, isUnread }: EdgeEntriesView): string {
  if (entries.length > 0) return flagsIn(entries)
  return isUnread ? 'unknown' : 'unlisted'
}

/** The label once, and each line below the one before. */
function labelledIn(columns: number | undefined, label: string, lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => indented(labelText(index === 0 ? label : ''), line, columns))
}

const labelText = (label: string) => `    ${label.padEnd(7)}`

/** It may be a command: one that is broken over two lines can't be pasted. */
function undoLine(undo: string): string {
  return `${labelText('undo')}${undo}`
}

/** What does not fit goes on below the beginning, not below what is before it. */
function indented(before: string, line: string, columns: number | undefined): string[] {
  const [first = '', ...more] = wrapped(line, columns && columns - before.length).split('\n')
  return [`${before}${first}`, ...more.map((part) => `${' '.repeat(before.length)}${part}`)]
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
