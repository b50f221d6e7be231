import { staleAfterMs } from '../../functions/control/reading.ts'
import { span } from '../desk/times.ts'
import type { Stored } from './look-around.ts'

/** What is stored while this very look reads it is younger than the look. */
const lookMs = 10_000

/** The control plane tries each edge once a minute, by its own clock: this machine's is judged by that. */
export function clockDoubt({ edges, at, kdc }: Pick<Stored, 'edges' | 'at' | 'kdc'>): string | undefined {
  const tried = edges
    .filter(({ head }) => head.removedAt === undefined)
    .map(({ head }) => Math.max(head.askedAt, head.unreadable?.at ?? 0))
  const last = Math.max(0, ...tried)
  if (last === 0) return undefined
  if (last > at + lookMs)
    return `this machine's clock is ${span(last - at)} behind the control plane's: no age and no span here is right`
  if (at - last <= staleAfterMs) return undefined
  return `nobody has tried to read any edge for ${span(at - last)}: settle is not called, or this machine's clock is ahead, and no age here is right; ${kdc} doctor shows which`
}
