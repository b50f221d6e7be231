import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { commandGroupId, parseCommand } from '../../functions/contracts/command.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import { CommandRefused, InvalidMessage } from '../../functions/control/errors.ts'
import { eventBody, eventNames } from './event-files.ts'

const parsers = [parseLifecycleMessage, parseAlarmMessage, parseCommand]

/** A real payload in which one value, wherever it stands, is replaced by any JSON value or taken away. */
const damaged = fc
  .tuple(fc.constantFrom(...eventNames()), fc.nat(), fc.option(fc.jsonValue(), { nil: undefined }))
  .map(([name, at, value]) => {
    let left = at % 40
    return JSON.stringify(JSON.parse(eventBody(name)), (_, old: unknown) => (left-- === 0 ? value : old))
  })
  .filter((body) => body !== undefined)

function outcomeOf(parse: () => unknown): unknown {
  try {
    parse()
    return 'parsed'
  } catch (error) {
    return error instanceof InvalidMessage || error instanceof CommandRefused ? 'refused' : error
  }
}

it.each([
  ['any text', fc.string()],
  ['any JSON', fc.json()],
  ['real payloads with one value damaged', damaged],
])('%s is parsed or refused with a named error, never anything else', (_, bodies) => {
  fc.assert(
    fc.property(bodies, fc.constantFrom(...parsers), (body, parse) => {
      expect(['parsed', 'refused']).toContain(outcomeOf(() => parse(body)))
    }),
    { numRuns: 500 },
  )
})

const alarmBody = (timestamp: string, attributes: Record<string, string> = { InstanceId: 'i-1' }) =>
  JSON.stringify({
    'detail-type': 'CloudWatch Alarm Contributor State Change',
    source: 'aws.cloudwatch',
    detail: { alarmName: 'a', alarmContributor: { attributes }, state: { value: 'OK', timestamp } },
  })

const day = 86_400_000
const times = fc.date({ min: new Date(2 * day), max: new Date(8e12), noInvalidDate: true })
/** As CloudWatch writes it, in any zone. */
const written = fc.tuple(times, fc.integer({ min: -23, max: 23 })).map(([time, hours]) => {
  const local = new Date(time.getTime() + (hours * day) / 24).toISOString().slice(0, -1)
  return { time, text: `${local}${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}00` }
})

it('order texts sort as the times that they stand for, whatever their zone', () => {
  fc.assert(
    fc.property(written, written, (a, b) => {
      const [first, second] = [a, b].map(({ text }) => parseAlarmMessage(alarmBody(text)).order)
      if (first === undefined || second === undefined) throw new Error('no order')
      expect([first.length, second.length]).toEqual([15, 15])
      expect(first < second).toBe(a.time < b.time)
      expect(first === second).toBe(a.time.getTime() === b.time.getTime())
    }),
  )
})

it('the text of a series depends on the attributes, not on their order, and tells any two apart', () => {
  const attributes = fc.dictionary(fc.string(), fc.string()).filter((of) => Object.keys(of).length > 0)
  const series = (of: Record<string, string>) =>
    parseAlarmMessage(alarmBody('2026-11-22T00:00:00Z', of)).series
  fc.assert(
    fc.property(attributes, attributes, (a, b) => {
      const reversed = Object.fromEntries(Object.entries(a).reverse())
      expect(series(reversed)).toBe(series(a))
      const same =
        Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((k) => a[k] === b[k])
      expect(series(a) === series(b)).toBe(same)
    }),
  )
})

it('a series with many attributes goes by its id: a hold that is named after it fits a key of DynamoDB', () => {
  const name = 'é'.repeat(255)
  const seriesOf = (attribute: string, id: string) => {
    const event = JSON.parse(alarmBody('2026-11-22T00:00:00Z', { a: attribute, InstanceId: 'i-1' }))
    Object.assign(event.detail, {
      alarmName: name,
      alarmContributor: { ...event.detail.alarmContributor, id },
    })
    return parseAlarmMessage(JSON.stringify(event)).series
  }
  expect(seriesOf('b'.repeat(335), 'x')).toMatch(/^\[\["InstanceId","i-1"\],\["a","bb/)
  expect(seriesOf('b'.repeat(400), 'x')).toBe('x')
  expect(seriesOf('b'.repeat(400), 'y')).toBe('y')
})

it('a message group id is 1 to 128 characters that SQS allows, the same for the same target', () => {
  const drain = { version: 1, id: 'a', command: 'drain', reason: 'r', requestedBy: 'alice' } as const
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 512, size: 'max' }), (destination) => {
      const group = commandGroupId({ ...drain, destination })
      expect(group).toMatch(/^[!-~]{1,128}$/)
      expect(commandGroupId({ ...drain, id: 'b', destination })).toBe(group)
    }),
  )
  const destination = 'sip:10.0.1.20:5060'
  expect(commandGroupId({ ...drain, destination })).toBe(destination)
  expect(commandGroupId({ ...drain, command: 'activate', destination })).toBe(destination)
  expect(commandGroupId({ ...drain, instance: 'i-1234567890abcdef0' })).toBe('i-1234567890abcdef0')
  expect(commandGroupId({ ...drain, group: 'media' })).toBe('group/media')
  expect(commandGroupId({ ...drain, command: 'activate', group: 'media' })).toBe('group/media')
  expect(commandGroupId({ ...drain, set: 0 })).toBe('set/0')
  expect(commandGroupId({ ...drain, command: 'reload' })).toBe('reload')
  expect(commandGroupId({ ...drain, command: 'reload', edge: 'edge-a' })).toBe('edge-a')
  expect(commandGroupId({ ...drain, command: 'release', edge: 'edge-a', reason: 'lost' })).toBe('edge-a')
})
