import { clocksApartMs } from '../functions/control/observation.ts'
import { error, type Finding, runbook, warning } from './finding.ts'
import type { Stored } from './look-around.ts'
import { utc } from './times.ts'

/** What the table shows besides its edges. */
export function checkStored({ freeze, unread, edges, at }: Stored): Finding[] {
  const latest = Math.max(0, ...edges.map(({ head }) => head.askedAt))
  const until = freeze?.until === undefined ? '' : ` until ${utc(freeze.until)}`
  return [
    ...(freeze
      ? [
          warning(
            'freeze',
            'fleet',
            `frozen${until} by ${freeze.who} (${freeze.why}): alarms and operators begin no drain`,
            'kdc unfreeze',
          ),
        ]
      : []),
    ...unread.map((row) => error('unreadable-row', 'table', row, runbook(anchorOf(row)))),
    ...(latest > at + clocksApartMs
      ? [
          error(
            'own-clock',
            'this machine',
            `its clock is ${Math.round((latest - at) / 1000)} s behind the functions': no age that kdc shows is right`,
            'let chrony or another NTP client set it',
          ),
        ]
      : []),
  ]
}

/** Only a drain that waits can be asked for again. */
function anchorOf(row: string): string {
  return row.startsWith('WAITING') ? 'floors-limit-and-freeze' : 'edges-unreachable'
}
