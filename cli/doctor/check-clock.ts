import { clocksApartMs } from '../../functions/control/observation.ts'
import type { Desk } from '../desk/desk.ts'
import type { Surroundings } from '../desk/surroundings.ts'
import { span } from '../desk/times.ts'
import { error, type Finding } from './finding.ts'

/** What time it is, whatever the clock of this machine shows. */
export interface TimeShown {
  /** epoch ms: AWS's, where the two are apart */
  readonly at: number
  readonly findings: readonly Finding[]
}

/** By a clock that is ahead each edge looks as if nobody had read it lately. */
export async function checkClock({ clock }: Pick<Desk, 'clock'>, around: Surroundings): Promise<TimeShown> {
  const asked = clock.now()
  const theirs = await around.time()
  const at = clock.now()
  if (theirs === undefined) return { at, findings: [] }
  // At least so much: AWS has answered between the two, in the second that it names.
  const aheadMs = asked - (theirs + 1000)
  const behindMs = theirs - at
  if (Math.max(aheadMs, behindMs) <= clocksApartMs) return { at, findings: [] }
  const what = aheadMs > 0 ? `${span(aheadMs)} ahead of` : `${span(behindMs)} behind`
  return {
    at: theirs,
    findings: [
      error(
        'own-clock',
        'this machine',
        `its clock is ${what} AWS's: no age that other commands show is right`,
        'let chrony or another NTP client set it',
      ),
    ],
  }
}
