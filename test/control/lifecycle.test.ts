import { describe, expect, it } from 'vitest'
import { lifecycleIntent } from '../../functions/control/lifecycle.ts'

describe('lifecycleIntent', () => {
  it.each([
    ['scale-out', 'launching', 'EC2', 'AutoScalingGroup', 'launch'],
    ['into the warm pool', 'launching', 'EC2', 'WarmPool', 'continue'],
    ['out of the warm pool', 'launching', 'WarmPool', 'AutoScalingGroup', 'launch'],
    ['root volume replaced', 'launching', 'AutoScalingGroup', 'AutoScalingGroup', 'launch'],
    ['scale-in', 'terminating', 'AutoScalingGroup', 'EC2', 'drain'],
    ['scale-in with reuse', 'terminating', 'AutoScalingGroup', 'WarmPool', 'drain'],
    ['killed in the warm pool', 'terminating', 'WarmPool', 'EC2', 'continue'],
    ['root volume to be replaced', 'terminating', 'AutoScalingGroup', 'AutoScalingGroup', 'drain'],
  ] as const)('%s: %s from %s to %s is %s', (_, transition, origin, destination, intent) => {
    expect(lifecycleIntent({ transition, origin, destination })).toBe(intent)
  })

  it('drains a termination and admits a launch that say nothing more', () => {
    expect(lifecycleIntent({ transition: 'terminating' })).toBe('drain')
    expect(lifecycleIntent({ transition: 'launching' })).toBe('launch')
  })
})
