import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LifecycleActions } from '../../lab/auto-scaling/auto-scaling-actions.ts'
import type { Hook, Instance } from '../../lab/auto-scaling/auto-scaling-types.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const instance: Instance = {
  id: 'i-1234567890abcdef0',
  group: 'media',
  launchTime: new Date(0),
  privateIp: '10.0.1.20',
  secondaryIps: [],
  ipv6: undefined,
  publicIp: undefined,
  privateDnsName: 'ip-10-0-1-20.eu-central-1.compute.internal',
  tags: {},
  lifecycleState: 'Terminating:Wait',
  ec2State: 'running',
}

function started(heartbeatTimeoutSeconds: number) {
  const faults = {
    ignoreHeartbeats: false,
    endEarlyMs: undefined,
    contention: 0,
    refuseCompletionForMs: 0,
  }
  const actions = new LifecycleActions(faults)
  const hook: Hook = {
    name: 'drain',
    transition: 'terminating',
    heartbeatTimeoutSeconds,
    defaultResult: 'ABANDON',
  }
  const action = actions.start(instance, hook)
  const beat = () =>
    actions.heartbeat({ group: 'media', hook: 'drain', token: action.token, instanceId: undefined })
  return { action, beat }
}

test('an action without a heartbeat ends with the default result when its timeout has passed, not before', () => {
  const { action } = started(60)
  vi.advanceTimersByTime(59_999)
  expect(action.end).toBeUndefined()
  vi.advanceTimersByTime(1)
  expect(action.end).toMatchObject({ result: 'ABANDON', cause: 'expired-default' })
})

test('a heartbeat restarts the timeout from now: it does not add to it', () => {
  const { action, beat } = started(60)
  vi.advanceTimersByTime(50_000)
  beat()
  beat()
  vi.advanceTimersByTime(59_999)
  expect(action.end).toBeUndefined()
  vi.advanceTimersByTime(1)
  expect(action.end).toBeDefined()
})

test.each([
  ['100 times the timeout', 60, 6000],
  ['48 hours', 7200, 48 * 3600],
])('heartbeats carry an action to %s and no further', (_limit, timeoutSeconds, limitSeconds) => {
  const { action, beat } = started(timeoutSeconds)
  const stepMs = (timeoutSeconds * 1000) / 2
  for (let at = stepMs; at < limitSeconds * 1000; at += stepMs) {
    vi.advanceTimersByTime(stepMs)
    beat()
  }
  expect(action.end).toBeUndefined()
  vi.advanceTimersByTime(stepMs)
  expect(action.end).toMatchObject({
    at: action.startedAt + limitSeconds * 1000,
    cause: 'expired-default',
  })
  expect(beat).toThrow(`No active Lifecycle Action found with token ${action.token}`)
})
