import { expect, test } from 'vitest'
import { timeBudgets } from '../../lib/control-function.ts'

const timers = {
  minWaitSeconds: 5,
  maxWaitSeconds: 120,
  failoverWindowSeconds: 7,
  longestCallSeconds: 14_400,
}
const slow = [0.2, 1, 3, 10].map((rpcTimeoutSeconds) => ({ ...timers, rpcTimeoutSeconds }))

test.each(slow)(
  'with RPCs of $rpcTimeoutSeconds s, the longest step fits between the heartbeats of every timeout that synth does not warn of',
  (each) => {
    const { message, step } = timeBudgets(each)
    const warnedBelow = Math.max(60, 6 * message.toSeconds())
    // functions/control/pace.ts: at most half the timeout passes between two heartbeats, if steps take no
    // time.
    expect(step.toSeconds()).toBeLessThan(warnedBelow / 2)
  },
)

test.each(slow)(
  'with RPCs of $rpcTimeoutSeconds s, who asks no edge has time for what it waits for, and Lambda allows that of who does',
  (each) => {
    const { settle, message, step } = timeBudgets(each)
    const reading = 2 * each.rpcTimeoutSeconds + 2
    expect(step.toSeconds()).toBe(Math.ceil(20 + 10 * each.rpcTimeoutSeconds + 2))
    expect(message.toSeconds()).toBe(Math.ceil(20 + 2 * reading))
    expect(settle.toSeconds()).toBeGreaterThan(72 * each.rpcTimeoutSeconds)
    expect(settle.toSeconds()).toBeLessThanOrEqual(900)
  },
)
