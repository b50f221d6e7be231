import { expect, test } from 'vitest'
import { checkQueues } from '../../cli/doctor/check-stack.ts'

test.each([
  ['ControlIntakeLifecycleEventsQueue9F', 'oldest-message-lifecycle-events'],
  ['ControlIntakeAlarmEventsQueue9F', 'oldest-message-alarm-events'],
  ['ControlCommandsQueue9F', 'oldest-message-commands'],
])('a backlog of %s leads to its own entry of the runbook', (logicalId, anchor) => {
  const resource = { name: `https://sqs/1/${logicalId}`, logicalId, type: 'AWS::SQS::Queue' }
  expect(checkQueues([{ resource, shown: 101 }])).toMatchObject([
    { check: 'queue-backlog', mend: expect.stringContaining(`#${anchor}`) },
  ])
})
