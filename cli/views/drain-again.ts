import type { Hold } from '../../functions/control/hold.ts'
import { inShell } from '../desk/shell-word.ts'
import { isoTime } from '../desk/times.ts'

/** What is asked for anew. Times are epoch ms. */
export interface Request {
  readonly why: string
  readonly endsAt?: number | undefined
  readonly force?: string | undefined
  readonly beginsAt?: number | undefined
}

/** Of several it has all reasons, the first beginning and the last end, unless one had none. */
export function drainAgain(words: string, requests: readonly Request[]): string {
  const begins = requests.flatMap(({ beginsAt }) => beginsAt ?? [])
  const ends = requests.flatMap(({ endsAt }) => endsAt ?? [])
  const forces = requests.flatMap(({ force }) => force ?? [])
  return [
    `drain ${words} -m ${inShell(oneLine(requests.map(({ why }) => why)))}`,
    ...(begins.length === requests.length ? [`--from ${isoTime(Math.min(...begins))}`] : []),
    ...(ends.length === requests.length ? [`--until ${isoTime(Math.max(...ends))}`] : []),
    ...(forces.length > 0 ? [`--force ${inShell(oneLine(forces))}`] : []),
  ].join(' ')
}

function oneLine(texts: readonly string[]): string {
  return [...new Set(texts)].join('; ')
}

/** The instance of a hold of the whole of one. */
export function wholeInstanceOf({ wholeInstance, subject }: Pick<Hold, 'wholeInstance' | 'subject'>) {
  return wholeInstance && subject.kind === 'instance' ? subject.instanceId : undefined
}
