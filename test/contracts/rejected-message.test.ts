import { expect, test } from 'vitest'
import * as z from 'zod'
import { whatCouldBeRead } from '../../functions/contracts/rejected-message.ts'
import { eventBody, eventNames } from './event-files.ts'

const command = { id: 'change-4711', command: 'drain', requestedBy: 'alice', destination: 'all', set: 3 }
const read = { ...command, set: '3' }

test.each([
  ['a command that is refused', JSON.stringify(command), read],
  ['with a byte order mark', `\uFEFF${JSON.stringify(command)}`, read],
  [
    'with values of other types',
    JSON.stringify({ ...command, set: { of: 3 }, id: null, edge: ['a'] }),
    { command: 'drain', requestedBy: 'alice', destination: 'all' },
  ],
  [
    'with a comma too many',
    '{"id": "change-4711", "command" : "drain",}',
    { id: 'change-4711', command: 'drain' },
  ],
  [
    'that was cut',
    '{"id":"change-4711","reason":"says \\"edge\\":\\"x\\" ","destination":"sip:10',
    { id: 'change-4711' },
  ],
  ['no object', '["id"]', {}],
  ['nothing', '', {}],
] as const)('of a message that is rejected is told what it names: %s', (_, body, expected) => {
  expect(whatCouldBeRead(body)).toEqual(expected)
})

test('of an event, and of a notification within SNS, what its inner part names', () => {
  expect(whatCouldBeRead(eventBody('alarm-composite'))).toMatchObject({
    'detail-type': 'CloudWatch Alarm State Change',
    alarmName: 'media-server-unwell',
  })
  const action = { EC2InstanceId: expect.stringMatching(/^i-/), LifecycleHookName: expect.any(String) }
  for (const name of [
    'lifecycle-terminate-scale-in',
    'lifecycle-terminate-hook-notification',
    'lifecycle-terminate-hook-notification-sns',
  ])
    expect(whatCouldBeRead(eventBody(name)), name).toMatchObject(action)
})

test.each(eventNames('bad'))('no bad message keeps it from answering: %s', (name) => {
  const texts = z.record(z.string(), z.string())
  expect(texts.safeParse(whatCouldBeRead(eventBody(`bad/${name}`))).success).toBe(true)
})
