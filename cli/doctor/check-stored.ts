import { inForce } from '../../functions/control/clearance.ts'
import { drainId } from '../../functions/control/drain.ts'
import { isoTime } from '../desk/times.ts'
import type { Stored } from '../views/look-around.ts'
import { stuckSince } from '../views/what-next.ts'
import { error, type Finding, runbook, warning } from './finding.ts'

/** What the table shows besides its edges. */
export function checkStored({ at, drains, freeze: notEnded, kdc, unread }: Stored): Finding[] {
  const freeze = inForce(notEnded, at)
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
    ...drains.flatMap((drain) => {
      const since = stuckSince(drain, at)
      if (since === undefined) return []
      const what = `its next look was due at ${isoTime(since)}: neither its execution nor the sweep runs`
      return [error('look-overdue', drainId(drain), what, runbook('sweep-failed'))]
    }),
    ...unread.map((row) => error('unreadable-row', 'table', row, runbook(anchorOf(row)))),
  ]
}

/** Only a drain that waits can be asked for again. */
function anchorOf(row: string): string {
  return row.startsWith('WAITING') ? 'floors-limit-and-freeze' : 'edges-unreachable'
}
