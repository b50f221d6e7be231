import { type Change, type ChangeOf, type Shown, timeOf } from './change.ts'
import type { ReplacedFreeze } from './freeze.ts'
import type { Hold, ReplacedHold } from './hold.ts'
import type { Sender } from './sender.ts'

interface Whose {
  /** as the message claims it, or what made the change */
  readonly who: string
  /** verified; Auto Scaling and what ends by itself have none */
  readonly sender?: Sender
  readonly why?: string
}

/** A change as it is on file. */
export interface FiledChange extends Whose {
  readonly id: string
  /** when it was asked for, or came about, epoch ms */
  readonly at: number
  readonly kind: Change['kind']
  readonly force?: string
  readonly hold?: Pick<Hold, 'source' | 'id'>
  /** whose hold, freeze or release came to an end, or whose freeze was replaced */
  readonly former?: Whose
  /** the same operator's hold, or whosever freeze, that it took the place of */
  readonly replaces?: ReplacedHold
  /** that was released */
  readonly edge?: string
  /** epoch ms: the end that a freeze or a hold was given */
  readonly until?: number
  /** URIs as listed, and the instance's id */
  readonly destinations: readonly string[]
  readonly shown: readonly Shown[]
  /** false: some edges have not been read since, and follow when they are */
  readonly complete: boolean
  /** how many there are besides: a row takes only so much */
  readonly leftOut?: Readonly<Record<string, number>>
}

/** Three ways to look for changes; a sender's role is one in all its sessions. */
export type ChangesOf =
  | { readonly day: string }
  | { readonly destination: string }
  | { readonly sender: string }

/** Each is a row of its own. */
const mostDestinations = 20
const longestText = 1024
const longestDetail = 160
export const mostBytes = 16_000

/** @param open edges that have not been read since, with what is known of them */
export function filedForm(change: Change, open: readonly Shown[]): FiledChange {
  const destinations = destinationsOf(change)
  const beyond = destinations.length - mostDestinations
  const form: FiledChange = {
    ...{ id: change.id, at: timeOf(change), kind: change.kind },
    ...partOf(change),
    destinations: destinations.slice(0, mostDestinations),
    shown: [...change.shown, ...open].map(({ detail, ...shown }) => ({
      ...shown,
      ...(detail !== undefined && { detail: cut(detail, longestDetail) }),
    })),
    complete: open.length === 0,
  }
  return bounded(form, beyond > 0 ? { destinations: beyond } : {})
}

function destinationsOf(change: Change): string[] {
  if (!('hold' in change)) return []
  const { subject, uris } = change.hold
  return [...new Set(subject.kind === 'uri' ? [subject.uri, ...uris] : [subject.instanceId, ...uris])]
}

function partOf(change: ChangeOf): Whose & Partial<FiledChange> {
  switch (change.kind) {
    case 'placed':
    case 'retired': {
      const { force, endsAt, replaces } = change.hold
      const forced = force === undefined ? {} : { force: cut(force) }
      const end = endsAt === undefined ? {} : { until: endsAt }
      const former = replaces && { replaces: { ...replaces, why: cut(replaces.why) } }
      return { ...whose(change.hold), ...forced, ...end, ...former, hold: nameOf(change.hold) }
    }
    case 'lifted':
      return ended(change.hold, change.hold.lifted, nameOf(change.hold))
    case 'superseded':
      return ended(change.hold, change.superseded, nameOf(change.hold))
    case 'frozen': {
      const { until, replaces } = change.freeze
      const former = replaces && { former: whose(replaces), replaces: replacedForm(replaces) }
      return { ...whose(change.freeze), ...(until !== undefined && { until }), ...former }
    }
    case 'freeze-ended':
      return ended(change.freeze, change.freeze.ended)
    case 'released':
      return { ...whose(change.release), edge: change.release.edge }
    case 'release-ended':
      return { ...ended(change.release, { by: 'it is configured again' }), edge: change.release.edge }
    case 'reloaded':
      return whose(change.reload)
    default:
      return change satisfies never
  }
}

function replacedForm({ why, since, until }: ReplacedFreeze): ReplacedHold {
  return { why: cut(why), since, ...(until !== undefined && { endsAt: until }) }
}

function nameOf({ source, id }: Hold): Pick<Hold, 'source' | 'id'> {
  return { source, id }
}

function ended(
  former: Whose,
  by: { readonly by: string; readonly sender?: Sender; readonly why?: string } = { by: 'unknown' },
  hold?: FiledChange['hold'],
): Whose & Partial<FiledChange> {
  return { ...whose({ ...by, who: by.by }), former: whose(former), ...(hold && { hold }) }
}

function whose({ who, sender, why }: Whose): Whose {
  return { who: cut(who), ...(sender && { sender }), ...(why !== undefined && { why: cut(why) }) }
}

/** Half of a pair, such as of an emoji, is no text to others. */
function cut(text: string, longest = longestText): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`
}

/** Entries go first, and whole edges last. */
function bounded(form: FiledChange, leftOut: Readonly<Record<string, number>>): FiledChange {
  for (const mostEntries of [20, 5, 1]) {
    const shown = form.shown.map((each) => withEntries(each, mostEntries))
    const next = { ...form, shown, ...(Object.keys(leftOut).length > 0 && { leftOut }) }
    if (bytesOf(next) <= mostBytes) return next
    if (mostEntries === 1) return withEdges(next, leftOut)
  }
  return form
}

function withEntries(shown: Shown, most: number): Shown {
  const { entries, more = 0 } = shown
  const left = entries.length - most
  return left > 0 ? { ...shown, entries: entries.slice(0, most), more: more + left } : shown
}

function withEdges(form: FiledChange, leftOut: Readonly<Record<string, number>>): FiledChange {
  const shown = [...form.shown]
  let edges = 0
  const next = () => ({ ...form, shown, leftOut: { ...leftOut, edges } })
  while (shown.length > 0 && bytesOf(next()) > mostBytes) edges += shown.pop()?.edges.length ?? 0
  return next()
}

function bytesOf(form: FiledChange): number {
  return Buffer.byteLength(JSON.stringify(form))
}
