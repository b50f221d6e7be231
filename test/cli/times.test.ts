import { expect, test } from 'vitest'
import { exitCodes } from '../../cli/desk/exit-codes.ts'
import { fromNow, instantOf, isoTime, secondsOf, span } from '../../cli/desk/times.ts'

const now = Date.UTC(2026, 10, 27, 20)

test.each([
  ['90', 90],
  ['90s', 90],
  ['10m', 600],
  ['2h', 7200],
  ['1d', 86_400],
])('%s is a span of %i seconds', (text, seconds) => {
  expect(secondsOf(text, '--timeout')).toBe(seconds)
})

test.each(['', '0', '1.5h', '-1m', '2 h', '1w'])(
  '"%s" is no span, and told so as a matter of usage',
  (text) => {
    expect(() => secondsOf(text, '--timeout')).toThrow(
      expect.objectContaining({
        exitCode: exitCodes.usage,
        message: `--timeout "${text}" is no time span: write 90s, 10m, 2h or 1d`,
      }),
    )
  },
)

test('an end is a time with its zone, or a span from now', () => {
  expect(instantOf('2h', '--until', now)).toBe('2026-11-27T22:00:00.000Z')
  expect(instantOf('2026-11-28T07:00:00+01:00', '--until', now)).toBe('2026-11-28T06:00:00.000Z')
  for (const text of ['2026-11-28', '2026-11-28T06:00:00', '2026-13-28T06:00:00Z', '90', '999999999d'])
    expect(() => instantOf(text, '--until', now)).toThrow(`--until "${text}" is no time`)
})

test('a time as kdc prints it is one that --until takes', () => {
  expect(isoTime(now)).toBe('2026-11-27T20:00:00Z')
  expect(Date.parse(instantOf(isoTime(now), '--until', 0))).toBe(now)
})

test.each([
  [400, '0s'],
  [59_000, '59s'],
  [90_000, '2m'],
  [3_600_000, '1h'],
  [3_900_000, '1h 5m'],
  [90_000_000, '1d 1h'],
  [172_800_000, '2d'],
])('%i ms is shown as %s', (ms, text) => {
  expect(span(ms)).toBe(text)
  expect(fromNow(now - ms, now)).toBe(`${text} ago`)
})
