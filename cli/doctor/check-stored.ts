import { isoTime } from '../desk/times.ts'
import type { Stored } from '../views/look-around.ts'
import { error, type Finding, runbook, warning } from './finding.ts'

/** What the table shows besides its edges. */
export function checkStored({ freeze, kdc, unread }: Stored): Finding[] {
  const until = freeze?.until === undefined ? '' : ` until ${isoTime(freeze.until)}`
  return [
    ...(freeze
      ? [
          warning(
            'freeze',
            'fleet',
            `frozen${until} by ${freeze.who} (${freeze.why}): alarms and operators begin no drain`,
            `${kdc} unfreeze`,
          ),
        ]
      : []),
    ...unread.map((row) => error('unreadable-row', 'table', row, runbook(anchorOf(row)))),
  ]
}

/** Only a drain that waits can be asked for again. */
function anchorOf(row: string): string {
  return row.startsWith('WAITING') ? 'floors-limit-and-freeze' : 'edges-unreachable'
}
