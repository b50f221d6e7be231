import { describe, expect, it } from 'vitest'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { parseCommand } from '../../functions/contracts/command.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import { alarmIntent } from '../../functions/control/alarm.ts'
import { orderOf } from '../../functions/control/hold.ts'
import { lifecycleIntent } from '../../functions/control/lifecycle.ts'
import { eventBody, eventNames } from './event-files.ts'

const instanceId = 'i-1234567890abcdef0'
const destination = 'sip:10.0.1.20:5060'
const group = 'media-servers'

const terminate = { kind: 'action', group, hook: 'drain-calls', instanceId }
const launch = { kind: 'action', group, hook: 'admit-calls', instanceId }
const move = (transition: string, origin?: string, to?: string) => ({
  move: { transition, ...(origin && { origin }), ...(to && { destination: to }) },
})

const lifecycle: Record<string, { message: object; intent?: string }> = {
  'lifecycle-terminate-scale-in': {
    message: {
      ...terminate,
      ...move('terminating', 'AutoScalingGroup', 'EC2'),
      token: '87654321-4321-4321-4321-210987654320',
      time: Date.UTC(2026, 10, 22, 20),
      eventId: '12345678-1234-1234-1234-123456789010',
    },
    intent: 'drain',
  },
  'lifecycle-terminate-to-warm-pool': {
    message: { ...terminate, ...move('terminating', 'AutoScalingGroup', 'WarmPool') },
    intent: 'drain',
  },
  'lifecycle-warm-pool-kill': {
    message: { ...terminate, ...move('terminating', 'WarmPool', 'EC2') },
    intent: 'continue',
  },
  'lifecycle-terminate-replace-root-volume': {
    message: { ...terminate, ...move('terminating', 'AutoScalingGroup', 'AutoScalingGroup') },
    intent: 'drain',
  },
  'lifecycle-launch-scale-out': {
    message: { ...launch, ...move('launching', 'EC2', 'AutoScalingGroup') },
    intent: 'launch',
  },
  'lifecycle-launch-into-warm-pool': {
    message: { ...launch, ...move('launching', 'EC2', 'WarmPool') },
    intent: 'continue',
  },
  'lifecycle-launch-from-warm-pool': {
    message: { ...launch, ...move('launching', 'WarmPool', 'AutoScalingGroup') },
    intent: 'launch',
  },
  'lifecycle-launch-replace-root-volume': {
    message: { ...launch, ...move('launching', 'AutoScalingGroup', 'AutoScalingGroup') },
    intent: 'launch',
  },
  'lifecycle-terminate-without-origin': {
    message: { ...terminate, ...move('terminating') },
    intent: 'drain',
  },
  'lifecycle-unknown-keys': {
    message: { ...terminate, ...move('terminating', 'AutoScalingGroup', 'EC2') },
    intent: 'drain',
  },
  'lifecycle-terminate-hook-notification': {
    message: {
      ...terminate,
      ...move('terminating'),
      token: '87654321-4321-4321-4321-210987654320',
      time: Date.UTC(2026, 10, 22, 20, 0, 0, 123),
      eventId: '5d858daa-5692-135e-98ca-ef04118c2ab5',
    },
    intent: 'drain',
  },
  'lifecycle-terminate-hook-notification-sns': {
    message: { ...terminate, ...move('terminating'), token: '87654321-4321-4321-4321-210987654320' },
    intent: 'drain',
  },
  'lifecycle-launch-hook-notification': {
    message: { ...launch, ...move('launching', 'EC2', 'AutoScalingGroup') },
    intent: 'launch',
  },
  'lifecycle-test-notification': { message: { kind: 'skip', reason: 'autoscaling:TEST_NOTIFICATION' } },
  'lifecycle-test-notification-sns': { message: { kind: 'skip', reason: 'autoscaling:TEST_NOTIFICATION' } },
  'terminate-successful': {
    message: { kind: 'skip', reason: `${instanceId} has left its group: nothing follows from that` },
  },
  'terminate-successful-to-warm-pool': {
    message: { kind: 'skip', reason: `${instanceId} has left its group: nothing follows from that` },
  },
  'launch-successful': {
    message: { kind: 'launched', group, instanceId, time: Date.UTC(2026, 10, 22, 20) },
  },
  'launch-successful-into-warm-pool': {
    message: { kind: 'skip', reason: `${instanceId} went to WarmPool: not launched` },
  },
  'edge-list-update': {
    message: {
      kind: 'edges-changed',
      parameter: '/dispatcher-control/edges/edge-c',
      operation: 'Create',
    },
  },
}

const cpu = {
  alarmName: 'media-server-cpu',
  series: '',
  muted: false,
  summary: false,
  dimensionInstanceIds: [instanceId],
}
const contributor = {
  alarmName: 'media-servers-cpu',
  series: `[["InstanceId","${instanceId}"]]`,
  contributorAttributes: { InstanceId: instanceId },
  dimensionInstanceIds: [],
  summary: false,
}

const alarms: Record<string, { message: object; intent: string }> = {
  'alarm-metric-alarm': {
    message: {
      ...cpu,
      value: 'ALARM',
      order: orderOf(Date.parse('2026-11-22T17:04:40.989Z')),
      sender: { id: 'arn:aws:cloudwatch:us-west-2:123456789012:alarm:media-server-cpu' },
    },
    intent: 'hold',
  },
  'alarm-metric-ok': {
    message: { ...cpu, value: 'OK', order: orderOf(Date.parse('2026-11-22T17:24:40.991Z')) },
    intent: 'lift',
  },
  'alarm-insufficient-data': {
    message: { ...cpu, value: 'INSUFFICIENT_DATA', reason: 'Insufficient Data: 1 datapoint was unknown.' },
    intent: 'skip',
  },
  'alarm-metric-math': {
    message: { alarmName: 'media-server-traffic', dimensionInstanceIds: [instanceId], summary: false },
    intent: 'hold',
  },
  'alarm-metric-math-several-instances': {
    message: { dimensionInstanceIds: [instanceId, 'i-0987654321fedcba0'] },
    intent: 'hold',
  },
  'alarm-composite': {
    message: { alarmName: 'media-server-unwell', dimensionInstanceIds: [], muted: false },
    intent: 'hold',
  },
  'alarm-suppressed': { message: { alarmName: 'media-server-unwell', muted: true }, intent: 'skip' },
  'alarm-muted': { message: { ...cpu, value: 'ALARM', muted: true }, intent: 'skip' },
  'alarm-muted-ok': { message: { ...cpu, value: 'OK', muted: true }, intent: 'lift' },
  'alarm-tag-target': { message: { tagTarget: destination, dimensionInstanceIds: [] }, intent: 'hold' },
  'alarm-contributor-alarm': { message: { ...contributor, value: 'ALARM' }, intent: 'hold' },
  'alarm-contributor-ok': { message: { ...contributor, value: 'OK' }, intent: 'lift' },
  'alarm-contributor-summary': {
    message: { alarmName: 'media-servers-cpu', series: '', value: 'ALARM', summary: true },
    intent: 'skip',
  },
}

const sent = { version: 1, id: 'change-4711', requestedBy: 'alice', dryRun: false }
const commands: Record<string, object> = {
  'command-drain-destination': {
    ...sent,
    command: 'drain',
    destination,
    reason: 'disk failing, ticket 4711',
  },
  'command-drain-instance': {
    ...sent,
    command: 'drain',
    instance: instanceId,
    reason: 'kernel update',
    deadlineSeconds: 7200,
  },
  'command-drain-force': {
    ...sent,
    command: 'drain',
    destination,
    reason: 'disk failing, ticket 4711',
    force: 'its calls fail, and the floor keeps it in service',
  },
  'command-drain-until': {
    ...sent,
    command: 'drain',
    destination,
    reason: 'a look at its disk, ticket 4711',
    until: Date.UTC(2026, 10, 28, 6),
  },
  'command-drain-plan': {
    ...{ ...sent, id: 'change-4719' },
    command: 'drain',
    destination,
    reason: 'disk failing',
    plan: 'change-4718',
  },
  'command-drain-window': {
    ...sent,
    command: 'drain',
    instance: instanceId,
    reason: 'kernel update',
    from: Date.UTC(2026, 10, 28, 2),
    until: Date.UTC(2026, 10, 28, 6),
  },
  'command-drain-group': { ...sent, command: 'drain', group, reason: 'new image' },
  'command-drain-zone': {
    ...sent,
    command: 'drain',
    zone: 'eu-central-1a',
    reason: 'the zone loses packets',
    force: 'its calls fail anyway',
  },
  'command-activate-set': { ...sent, command: 'activate', set: 1 },
  'command-freeze': {
    ...sent,
    command: 'freeze',
    reason: 'carrier maintenance',
    until: Date.UTC(2026, 10, 28, 6),
  },
  'command-may-restart': { ...sent, command: 'may-restart', edge: 'edge-a' },
  'command-unfreeze': { ...sent, command: 'unfreeze' },
  'command-dry-run': { ...sent, command: 'drain', destination, reason: 'what would it do?', dryRun: true },
  'command-activate': { ...sent, command: 'activate', destination },
  'command-activate-instance': {
    ...sent,
    command: 'activate',
    instance: instanceId,
    reason: 'kernel updated',
  },
  'command-activate-alarm': {
    ...sent,
    command: 'activate',
    instance: instanceId,
    reason: 'alarm was deleted while in ALARM',
    source: 'alarm',
  },
  'command-activate-retired': {
    ...sent,
    command: 'activate',
    destination,
    reason: 'address is used again outside of Auto Scaling',
    source: 'retired',
  },
  'command-activate-hold-id': { ...sent, command: 'activate', destination, holdId: 'media-server-cpu' },
  'command-reload': { ...sent, command: 'reload' },
  'command-release-edge': {
    ...sent,
    command: 'release',
    edge: 'edge-b',
    reason: 'its machine is lost, and its calls with it',
  },
  'command-reload-edge': { ...sent, command: 'reload', edge: 'edge-a', reason: 'dispatcher table changed' },
}

it('covers every file in events/', () => {
  const covered = [lifecycle, alarms, commands].flatMap((table) => Object.keys(table))
  expect(covered.sort()).toEqual(eventNames())
})

describe('lifecycle messages', () => {
  it.each(Object.entries(lifecycle))('%s', (name, { message, intent }) => {
    const parsed = parseLifecycleMessage(eventBody(name))
    expect(parsed).toMatchObject(message)
    const move = 'move' in parsed ? parsed.move : undefined
    expect(move).toEqual('move' in message ? message.move : undefined)
    expect(move && lifecycleIntent(move)).toBe(intent)
  })
})

it('takes a place that is new to it as not said, so that the instance is still drained', () => {
  const body = eventBody('lifecycle-terminate-scale-in').replace('"AutoScalingGroup"', '"ColdPool"')
  expect(parseLifecycleMessage(body)).toMatchObject({
    move: { transition: 'terminating', destination: 'EC2' },
  })
})

describe('alarm messages', () => {
  it.each(Object.entries(alarms))('%s', (name, { message, intent }) => {
    const parsed = parseAlarmMessage(eventBody(name))
    expect(parsed).toMatchObject(message)
    expect(alarmIntent(parsed)).toBe(intent)
  })
})

describe('commands', () => {
  it.each(Object.entries(commands))('%s', (name, message) => {
    expect(parseCommand(eventBody(name))).toEqual(message)
  })
})
