import { drainId } from '../../functions/control/drain.ts'
import { inForce } from '../../functions/control/freeze.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { isoTime } from '../desk/times.ts'
import type { Stored } from '../views/look-around.ts'
import { stuckSince } from '../views/what-next.ts'
import { error, type Finding, runbook, warning } from './finding.ts'

/** What the table shows besides its edges. */
export function checkStored(stored: Stored): Finding[] {
  const { at, drains, kdc, unread } = stored
  const freeze = inForce(stored.freeze, at)
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
    ...withoutDrain(stored).map(({ source, id, placedAt }) => {
      const what = `it is held since ${isoTime(placedAt)}, and no drain looks at its calls: the sweep has begun none`
      return error('drain-missing', `${source}/${id}`, what, runbook('sweep-failed'))
    }),
    ...unread.map((row) => error('unreadable-row', 'table', row, runbook(anchorOf(row)))),
  ]
}

/** The sweep begins a drain of each within a minute. */
const sweptWithinMs = 300_000

/** A drain whose row can't be read is a finding of its own. */
function withoutDrain({ at, holds, drains, unread }: Stored) {
  if (unread.length > 0) return []
  const known = new Set(drains.map(drainId))
  return holds.filter(
    (hold) => hold.source !== 'retired' && !known.has(holdKey(hold)) && hold.placedAt < at - sweptWithinMs,
  )
}

/** Only a drain that waits can be asked for again. */
function anchorOf(row: string): string {
  return row.startsWith('WAITING') ? 'floors-limit-and-freeze' : 'edges-unreachable'
}
