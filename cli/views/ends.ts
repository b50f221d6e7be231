import type { Ending } from '../../functions/control/ending.ts'
import { fromNow, isoTime, span } from '../desk/times.ts'

/** When a drain will most likely be over (ISO 8601), or why nobody can tell. */
export type EndsView = { readonly earliest: string; readonly latest: string } | { readonly unknown: string }

/** @param now a range that is over by then has said too little */
export function endsView(ending: Ending, now: number): EndsView {
  if ('unknown' in ending) return ending
  if (ending.latest < now) return { unknown: 'it takes longer than its calls had led one to expect' }
  return { earliest: isoTime(ending.earliest), latest: isoTime(ending.latest) }
}

/** `~6m`, `4m to 9m`, `up to 7m`, or `unknown`. */
export function endsText(ends: EndsView | undefined, now: number): string {
  if (ends === undefined) return '-'
  if ('unknown' in ends) return 'unknown'
  const [earliest, latest] = [Date.parse(ends.earliest) - now, Date.parse(ends.latest) - now]
  const [from, to] = [span(earliest), span(latest)]
  if (from === to) return `~${to}`
  return earliest < 30_000 ? `up to ${to}` : `${from} to ${to}`
}

/** A time for people, and how far away it is. */
export function when(at: number, now: number): string {
  return `${isoTime(at)} (${fromNow(at, now)})`
}
