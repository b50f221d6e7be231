import { describe, expect, test } from 'vitest'
import { controlConfig } from '../../functions/contracts/config.ts'
import {
  callerPlans,
  floors,
  hooks,
  patientGroup,
  patientHooks,
  plan,
  serverPlans,
  settingsFile,
} from '../../lab/plan/fleet-plan.ts'
import { some } from '../present.ts'

describe('the lengths of the lab hang together', () => {
  const longest = Math.max(...callerPlans.map(({ callMs }) => callMs))

  test('the longest call outlasts the heartbeat timeout, so that a drain lives on heartbeats', () => {
    expect(longest).toBeGreaterThan(plan.heartbeatTimeoutSeconds * 1000)
  })

  test('no call comes near the longest that the edges allow: an edge that is up that long can not have forgotten one', () => {
    expect(longest).toBeLessThanOrEqual(plan.longestCallSeconds * 1000 - 2000)
  })

  test('the fail-over window is fr_timer and 2 s', () => {
    expect(plan.failoverWindowSeconds * 1000).toBe(plan.frTimerMs + 2000)
  })

  test('the hooks wait as long as our functions are told', () => {
    const { control } = settingsFile(8088)
    for (const group of some(controlConfig.parse(control).groups)) {
      const its = group.name === patientGroup ? patientHooks : hooks
      const hook = its.find(({ name }) => name === group.terminateHook)
      expect(hook?.heartbeatTimeoutSeconds).toBe(group.heartbeatTimeoutSeconds)
      expect(its.map(({ name }) => name)).toContain(group.launchHook)
    }
  })

  test('where an event may be lost, the hook waits for longer than two minutes', () => {
    const hook = patientHooks.find(({ transition }) => transition === 'terminating')
    expect(hook?.heartbeatTimeoutSeconds).toBeGreaterThan(120)
  })
})

test('every machine has an address of its own, and set 1 has all of them', () => {
  expect(new Set(serverPlans.map(({ address }) => address)).size).toBe(serverPlans.length)
  expect(some(serverPlans).every(({ sets }) => sets.includes(1))).toBe(true)
  expect(serverPlans.filter(({ kind }) => kind === 'sipp').length).toBeGreaterThanOrEqual(6)
})

test('each floor has fewer servers than its set, so that an alarm storm drains what it leaves', () => {
  for (const { set, count } of some(floors))
    expect(serverPlans.filter(({ sets }) => sets.includes(set)).length, `${set}`).toBeGreaterThan(count)
})
