import { expect, test } from 'vitest'
import { timeBudgets } from '../../lib/control-function.ts'

const timers = {
  minWaitSeconds: 5,
  maxWaitSeconds: 120,
  failoverWindowSeconds: 7,
  longestCallSeconds: 14_400,
}

test.each([0.2, 1, 3, 10])(
  'with RPCs of %d s, the longest step fits between the heartbeats of every timeout that synth does not warn of',
  (rpcTimeoutSeconds) => {
    for (const readBackGapSeconds of [2, 30]) {
      const { event, step } = timeBudgets({ ...timers, rpcTimeoutSeconds, readBackGapSeconds })
      const warnedBelow = Math.max(60, 6 * event.toSeconds())
      // functions/control/pace.ts: at most half the timeout passes between two heartbeats, if steps take no time.
      expect(step.toSeconds()).toBeLessThan(warnedBelow / 2)
    }
  },
)
