import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ControlEvent } from '../../lab/emulator/control-events.ts'
import { lineOf } from '../../lab/playground/feed.ts'

const published = join(import.meta.dirname, '../../events/published')
const servers = [
  { serverName: 'ms-1', uri: 'sip:10.0.1.20:5060', instance: { id: 'i-1234567890abcdef0' } },
  { serverName: 'ms-2', uri: 'sip:10.0.1.21:5060', instance: { id: 'i-0000000000000002' } },
]

function sample(name: string): ControlEvent {
  const { 'detail-type': type, detail } = JSON.parse(readFileSync(join(published, `${name}.json`), 'utf8'))
  return { type, at: 0, detail }
}

const swept = (detail: object): ControlEvent => ({ type: 'Swept', at: 0, detail: { version: 1, ...detail } })
const line = (event: ControlEvent, before: readonly ControlEvent[] = []) => lineOf(event, before, servers)

test.each(readdirSync(published).map((file) => file.replace('.json', '')))(
  'the line of %s tells what it is about',
  (name) => {
    const { type } = sample(name)
    expect(line(sample(name))).toMatch(new RegExp(`^00:00:00  ${type}  \\S`))
  },
)

describe('what was swept is named, with why', () => {
  test('an instance', () => {
    expect(line(sample('swept'))).toBe('00:00:00  Swept  ms-1  it waits there, and nobody drains it')
  })

  const why = 'nobody has looked at it for long'
  test.each([
    ['lifecycle/i-1234567890abcdef0/drain-calls', []],
    ['alarm/media-server-cpu', [sample('drain-started')]],
    ['operator/10.0.1.20:5060;udp/alice', [sample('drain-waiting')]],
  ])('the drain %s, of which the event has only the id', (drainId, before) => {
    expect(line(swept({ what: 'drain', drainId, why }), before)).toBe(`00:00:00  Swept  ms-1  ${why}`)
  })

  test('an alarm, by the drain of its hold', () => {
    const alarm = { what: 'alarm', alarm: 'media-server-cpu', holdId: 'media-server-cpu', why: 'it is OK' }
    expect(line(swept(alarm), [sample('drain-started')])).toBe('00:00:00  Swept  ms-1  it is OK')
  })

  test('a drain that nobody has published anything of, by its id', () => {
    expect(line(swept({ what: 'drain', drainId: 'alarm/other', why }))).toBe(
      `00:00:00  Swept  alarm/other  ${why}`,
    )
  })
})

test.each([
  ['command-answered', 'Command Answered  ms-1  drain  started  disk failing, ticket 4711'],
  ['drain-waiting', 'Drain Waiting  ms-1  frozen by alice: carrier maintenance'],
  ['drift-corrected', /^Drift Corrected {2}ms-1 {2}edge-a {2}drained by auto scaling/],
  ['edge-list-refused', /^Edge List Refused {2}\S+edge-c {2}\S+ is not JSON$/],
  [
    'retained-too-long',
    /^Retained Too Long {2}ms-1 {2}retained {2}edge edge-a: nobody has read it since 2026-11-22 20:10:39 UTC$/,
  ],
  ['below-floor', /^Below Floor {2}set 1 on edge-a has 0/],
])('what came of it is in the line of %s', (name, came) => {
  expect(line(sample(name)).slice('00:00:00  '.length)).toMatch(came)
})

test('calls that are unknown are no zero, but why they are, and one call is one call', () => {
  const progress = (detail: object) =>
    line({ ...sample('drain-progress'), detail: { uris: ['sip:10.0.1.21:5060'], ...detail } })
  const unknown = ['edge edge-b: unreachable']
  const begin = '00:00:00  Drain Progress  ms-2'
  expect(progress({ verdict: 'unknown', callsLeft: 0, unknown })).toBe(`${begin}  unknown  ${unknown[0]}`)
  expect(progress({ verdict: 'overdue', callsLeft: 1, unknown })).toBe(
    `${begin}  overdue  1 or more calls left  ${unknown[0]}`,
  )
  expect(progress({ verdict: 'draining', callsLeft: 1, unknown: [] })).toBe(`${begin}  draining  1 call left`)
  expect(progress({ verdict: 'draining', callsLeft: 0, unknown: [] })).toBe(
    `${begin}  draining  0 calls left`,
  )
})

test('a reason that is longer than the terminal is wide is cut between two words, and whole without one', () => {
  const reason = `Threshold Crossed: 1 out of the last 1 datapoints [1.0] was ${'greater '.repeat(9)}`.trim()
  const event = { ...sample('drain-started'), detail: { uris: ['sip:10.0.1.20:5060'], reason } }
  const begin = '00:00:00  Drain Started  ms-1  Threshold Crossed'
  expect(lineOf(event, [], servers, 80)).toBe(`${begin}: 1 out of the last 1 …`)
  expect(line(event)).toBe(`${begin}${reason.slice('Threshold Crossed'.length)}`)
})
