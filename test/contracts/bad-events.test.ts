import { expect, it } from 'vitest'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { parseCommand } from '../../functions/contracts/command.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import { DispatcherControlError } from '../../functions/control/errors.ts'
import { some } from '../present.ts'
import { eventBody, eventNames } from './event-files.ts'

const unknownType = 'detail-type: is neither'

/** File in events/bad/: the name of the error, then texts that its message must hold, each with its path. */
const expected: Record<string, [name: string, ...texts: string[]]> = {
  'lifecycle-fields-missing': [
    'InvalidMessage',
    'detail.EC2InstanceId: is missing',
    'detail.LifecycleActionToken: is missing',
  ],
  'lifecycle-transition-contradicts': ['InvalidMessage', 'detail.LifecycleTransition: '],
  'lifecycle-time': ['InvalidMessage', 'time: is not a time such as'],
  'lifecycle-unknown-type': ['InvalidMessage', unknownType],
  'lifecycle-source': ['InvalidMessage', 'source: ', 'aws.autoscaling'],
  'lifecycle-hook-notification': ['InvalidMessage', 'LifecycleTransition: ', 'Time: is missing'],
  'lifecycle-sns-message': ['InvalidMessage', 'within SNS: message: not JSON'],
  'terminate-successful-without-group': ['InvalidMessage', 'detail.AutoScalingGroupName: '],
  'alarm-value': ['InvalidMessage', 'detail.state.value: ', 'detail.alarmName: is missing'],
  'alarm-timestamp': ['InvalidMessage', 'detail.state.timestamp: is not a time such as'],
  'alarm-dimensions-array': [
    'InvalidMessage',
    'detail.configuration.metrics.0.metricStat.metric.dimensions: ',
  ],
  'alarm-contributor-missing': ['InvalidMessage', 'detail.alarmContributor: is missing'],
  'alarm-unknown-type': ['InvalidMessage', unknownType],
  'command-version': ['InvalidMessage', 'version: is not a known version; known: 1'],
  'command-version-missing': ['InvalidMessage', 'version: is not a known version; known: 1'],
  'command-unknown': [
    'InvalidMessage',
    'command: must be "drain", "activate", "reload", "release", "freeze", "unfreeze" or "may-restart"',
  ],
  'command-unknown-key': [
    'InvalidMessage',
    'destnation: is not a known key',
    'destination: exactly one of destination, instance, group, set and zone must be given',
  ],
  'command-all': ['CommandRefused', 'destination: no command is for all destinations'],
  'command-star': ['CommandRefused', 'destination: no command is for all destinations'],
  'command-destination-empty': ['InvalidMessage', 'destination: must not be empty'],
  'command-destination-and-instance': ['InvalidMessage', 'destination: exactly one of'],
  'command-no-target': ['InvalidMessage', 'destination: exactly one of'],
  'command-instance': ['InvalidMessage', 'instance: must be an EC2 instance id'],
  'command-no-reason': ['InvalidMessage', 'reason: is missing'],
  'command-no-requested-by': ['InvalidMessage', 'requestedBy: is missing'],
  'command-requested-by-line-break': [
    'InvalidMessage',
    'requestedBy: must have no control characters, line breaks or invisible',
  ],
  'command-invisible-reason': [
    'InvalidMessage',
    'reason: must not be empty',
    'requestedBy: must not be empty',
  ],
  'command-no-id': ['InvalidMessage', 'id: is missing'],
  'command-id': ['InvalidMessage', 'id: must be 1 to 128 characters'],
  'command-deadline': ['InvalidMessage', 'deadlineSeconds: ', '172800'],
  'command-drain-until': ['InvalidMessage', 'until: is not a time such as'],
  'command-drain-group-and-set': ['InvalidMessage', 'destination: exactly one of'],
  'command-activate-group-source': ['InvalidMessage', 'source: of a group, set or zone only'],
  'command-drain-zone': ['InvalidMessage', 'zone: must be an availability zone such as eu-central-1a'],
  'command-plan-of-dry-run': ['InvalidMessage', 'plan: must not be given with "dryRun"'],
  'command-drain-window': ['InvalidMessage', 'until: must be after "from"', 'reason: is missing'],
  'command-deadline-text': ['InvalidMessage', 'deadlineSeconds: ', 'number'],
  'command-activate-lifecycle': ['CommandRefused', 'source: a command never lifts a lifecycle hold'],
  'command-activate-source': ['InvalidMessage', 'source: ', 'operator', 'alarm', 'retired'],
  'command-activate-source-and-hold-id': [
    'InvalidMessage',
    'holdId: "source" and "holdId" must not be given',
  ],
  'command-reload-destination': ['InvalidMessage', 'destination: is not a known key'],
  'command-freeze-until': ['InvalidMessage', 'until: is not a time such as'],
  'command-release-no-reason': ['InvalidMessage', 'reason: is missing'],
  'command-release-destination': ['InvalidMessage', 'destination: is not a known key', 'edge: is missing'],
  'command-several-problems': [
    'CommandRefused',
    'reason: is missing',
    'requestedBy: is missing',
    'deadlineSeconds: ',
    'destination: no command is for all',
    'forced: is not a known key',
  ],
  'command-array': ['InvalidMessage', 'message: ', 'array'],
}

function parserFor(name: string): (body: string) => unknown {
  if (name.startsWith('command-')) return parseCommand
  return name.startsWith('alarm-') ? parseAlarmMessage : parseLifecycleMessage
}

it('covers every file in events/bad/', () => {
  expect(Object.keys(expected).sort()).toEqual(eventNames('bad'))
})

it.each(Object.entries(expected))('bad/%s is a named, permanent error that says where', (file, texts) => {
  const [name, ...parts] = texts
  const error = thrownBy(() => parserFor(file)(eventBody(`bad/${file}`)))
  expect(error.name).toBe(name)
  expect(error.permanent).toBe(true)
  for (const part of some(parts)) expect(error.message).toContain(part)
})

it.each(['', '{', 'null', '7', '"drain"', '[]'])('%j is no message for any parser', (body) => {
  for (const parse of [parseCommand, parseAlarmMessage, parseLifecycleMessage])
    expect(thrownBy(() => parse(body))).toMatchObject({
      name: 'InvalidMessage',
      message: expect.stringContaining('message: '),
    })
})

function thrownBy(run: () => unknown): DispatcherControlError {
  try {
    run()
  } catch (error) {
    if (error instanceof DispatcherControlError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
