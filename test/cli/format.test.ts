import { stripVTControlCharacters, styleText } from 'node:util'
import { expect, test } from 'vitest'
import { formatted, harmless } from '../../cli/format.ts'

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

test('as data it stays as it is, written so that no terminal takes it for a command', () => {
  const json = formatted({ data: { why: moves }, text: () => '' }, 'json', screen)
  expect(JSON.parse(json)).toEqual({ why: moves })
  expect(json).not.toContain('\u001b')
  expect(harmless('a line\nand the next')).toBe('a line\nand the next')
})
