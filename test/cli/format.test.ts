import { stripVTControlCharacters, styleText } from 'node:util'
import { expect, test } from 'vitest'
import { formatted, harmless, quotable, wrapped } from '../../cli/desk/format.ts'

const screen = { columns: 80, isTerminal: true, hasColour: true }
const moves = '\u001b[2K\u001b[1A\rheld by nobody\u0007'

test.each(['table', 'wide'] as const)(
  'what somebody wrote moves no cursor and hides no line: %s',
  (format) => {
    const text = () => `why ${moves}\n${styleText('red', 'held', { validateStream: false })}`
    const shown = formatted({ data: {}, text }, format, screen)
    expect(shown).toBe(`why ·[2K·[1A·held by nobody·\n\u001b[31mheld\u001b[39m\n`)
    expect(stripVTControlCharacters(shown)).toContain('[2K')
  },
)

test('nothing but our own colours passes: concealed text would be read by nobody', () => {
  expect(harmless('\u001b[8mhidden\u001b[31mred')).toBe('·[8mhidden\u001b[31mred')
})

test.each(['\u202e', '\u2066', '\u2028', '\u2029'])(
  'what turns the order of a line round, or ends it, is not printed: %j',
  (unruly) => {
    const why = `held by ${unruly}nobody`
    expect(harmless(why)).toBe('held by ·nobody')
    expect(quotable({ why })).toEqual({ why: 'held by ·nobody' })
  },
)

test('as data it stays as it is, written so that no terminal takes it for a command', () => {
  const json = formatted({ data: { why: moves }, text: () => '' }, 'json', screen)
  expect(JSON.parse(json)).toEqual({ why: moves })
  expect(json).not.toContain('\u001b')
  expect(harmless('a line\nand the next')).toBe('a line\nand the next')
})

test('a line is wrapped between words, and one that is too long stays whole', () => {
  expect(wrapped('calls left: 12 (edge-a 12); over', 16)).toBe('calls left: 12\n  (edge-a 12);\n  over')
  expect(wrapped('see operator/10.0.1.20:5060;udp', 10)).toBe('see\n  operator/10.0.1.20:5060;udp')
  expect(wrapped('fits', 4)).toBe('fits')
  expect(wrapped('  an indent stays', 12)).toBe('  an indent\n  stays')
})

test('no line ends with a space, or begins with one more, where a line is wrapped at two', () => {
  for (const columns of [6, 7, 8, 9]) expect(wrapped('lifted  (id)', columns)).toBe('lifted\n  (id)')
  expect(wrapped('lifted  (id)', 12)).toBe('lifted  (id)')
  expect(wrapped('lifted  (id)', undefined)).toBe('lifted  (id)')
})

test('what takes two columns counts as two where a line is wrapped', () => {
  expect(wrapped('設備 故障 院', 9)).toBe('設備 故障\n  院')
})

test('in a pipe nothing is wrapped', () => {
  expect(wrapped('calls left: 12 (edge-a 12)', undefined)).toBe('calls left: 12 (edge-a 12)')
})
