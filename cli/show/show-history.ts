import type { Shown as ShownOnEdges } from '../../functions/control/change.ts'
import type { CommandInShort } from '../../functions/control/command-in-short.ts'
import type { FiledChange } from '../../functions/control/filed-change.ts'
import { isInstanceId } from '../../functions/control/resolve.ts'
import type { Shown } from '../desk/format.ts'
import { type Column, table } from '../desk/table.ts'
import { isoTime, span } from '../desk/times.ts'
import { shortName } from './show-fleet.ts'

/** A change as it is on file, with times that people read. */
export interface ChangeView extends Omit<FiledChange, 'at' | 'until' | 'replaces'> {
  readonly at: string
  readonly until?: string
  readonly replaces?: { readonly why: string; readonly since: string; readonly endsAt?: string }
}

export function changeView({ at, until, replaces, ...change }: FiledChange): ChangeView {
  return {
    ...{ ...change, at: isoTime(at) },
    ...(until !== undefined && { until: isoTime(until) }),
    ...(replaces && { replaces: replacedView(replaces) }),
  }
}

function replacedView({ why, since, endsAt }: NonNullable<FiledChange['replaces']>) {
  return { why, since: isoTime(since), ...(endsAt !== undefined && { endsAt: isoTime(endsAt) }) }
}

/** @param target that all of them are about: it needs no column */
export function showHistory(changes: readonly FiledChange[], target?: string): Shown {
  const rows = changes.map(changeView)
  const on: Column<ChangeView> = { title: 'ON', cell: onWhat, least: 19 }
  return {
    data: rows,
    lines: rows,
    text: (screen) =>
      rows.length === 0
        ? 'nothing is on file'
        : table(
            [
              { title: 'AT', cell: ({ at }) => at },
              { title: 'CHANGE', cell: kindOf },
              ...(target === undefined ? [on] : []),
              { title: 'WHO', cell: ({ who }) => shortName(who), least: 8 },
              { title: 'WHY', cell: whyOf, least: 8 },
              { title: 'EDGES', cell: edgesOf, least: 24, optional: true },
              { title: 'SENDER', cell: senderOf, optional: true },
            ],
            rows,
            screen,
          ),
  }
}

/** Its edges are left out where there is no room: a reload that failed is no reload. */
function kindOf({ kind, shown }: ChangeView): string {
  const done = shown.filter(({ outcome }) => outcome === 'reloaded')
  if (kind !== 'reloaded' || done.length === shown.length) return kind
  return done.length > 0 ? 'reloaded in part' : 'reload failed'
}

export function onWhat({ edge, destinations, leftOut, kind, shown }: ChangeView): string {
  if (kind === 'reloaded') return shown.flatMap(({ edges }) => edges).join(',') || '-'
  const uris = destinations.filter((name) => !isInstanceId(name))
  // An instance and its destination are one server, whose name people know is the destination's.
  const [first = '-', ...others] = uris.length > 0 ? uris : destinations
  const more = others.length + (leftOut?.['destinations'] ?? 0)
  return edge ?? (more > 0 ? `${first} and ${more} more` : first)
}

export function whyOf({ why, former, replaces, force }: ChangeView): string {
  const own = why ?? (former?.why === undefined ? '-' : `(it was: ${former.why})`)
  const until = replaces?.endsAt === undefined ? '' : `, until ${replaces.endsAt}`
  const before = replaces ? ` (in the place of: ${replaces.why}${until})` : ''
  return force === undefined ? `${own}${before}` : `${own} (forced: ${force})${before}`
}

function senderOf({ sender }: ChangeView): string {
  return sender?.name ?? sender?.id ?? '-'
}

function edgesOf({ shown, complete }: ChangeView): string {
  const parts = shown.map((each) => `${each.outcome} on ${each.edges.join(',')}${flagsOf(each)}`)
  return [...parts, ...(complete ? [] : ['others follow'])].join('; ') || '-'
}

function flagsOf({ entries, listed }: ShownOnEdges): string {
  if (listed) return ` ${listed.before} → ${listed.after} entries`
  const flags = new Set(entries.map(({ before, after }) => `${before}→${after}`))
  return flags.size === 0 ? '' : ` ${[...flags].join(' ')}`
}

export function showCommands(commands: readonly CommandInShort[], now: number): Shown {
  const rows = commands.map(({ at, ...command }) => ({ ...command, at: isoTime(at) }))
  return {
    data: rows,
    lines: rows,
    text: (screen) =>
      rows.length === 0
        ? 'no command was answered'
        : table(
            [
              { title: 'ID', cell: ({ id }) => id },
              // The last to go: an id of kdc has the time.
              { title: 'AGE', cell: (command) => span(now - Date.parse(command.at)), optional: true },
              { title: 'COMMAND', cell: ({ command }) => command },
              { title: 'ON', cell: namedBy, least: 18 },
              {
                title: 'RESULT',
                cell: ({ result }) => ({
                  text: result,
                  ...(result === 'refused' && { style: 'red' as const }),
                }),
                least: 8,
              },
              { title: 'WHO', cell: ({ who }) => shortName(who), optional: true },
              { title: 'BECAUSE', cell: ({ because = '-' }) => because, least: 7, optional: true },
            ],
            rows,
            screen,
          ),
  }
}

const ofServers = ['drain', 'activate']

/** Of what was answered before the key was kept, what commands of servers name by a number is a set. */
function namedBy({ command, on = '-', key }: Pick<CommandInShort, 'command' | 'on' | 'key'>): string {
  const isSet = key === undefined ? ofServers.includes(command) && /^\d+$/.test(on) : key === 'set'
  return isSet ? `set ${on}` : on
}
