import { expect, test } from 'vitest'
import * as z from 'zod'
import { plainName, text } from '../../functions/contracts/texts.ts'

const isRead = (value: string) => text(20).safeParse(value).success
const isName = (value: string) => plainName(20).safeParse(value).success

test.each([
  '',
  ' ',
  '\u0000',
  '\u200b',
  '\u3164',
  '\u2800',
  '\u115f',
  '\uffa0',
  '\u061c',
  '\ufe0f',
  '\ufff9',
  '\n\u00a0',
  '\ud83d',
])('a text that nobody can read is none: %j', (value) => {
  expect(isRead(value)).toBe(false)
})

test.each(['🚀', 'disk failing', 'a\u200bb', '替换', 'one\ntwo'])(
  'a text that has something to read is one: %j',
  (value) => {
    expect(isRead(value)).toBe(true)
  },
)

test.each(['alice\u200b', 'alice\u3164', 'a\nb', '\u202ealice', 'alice\u0000', 'alice\ud83d', ' '])(
  'a name that looks like another is none: %j',
  (value) => {
    expect(isName(value)).toBe(false)
  },
)

test('what JSON Schema takes for a name is what is taken', () => {
  const { allOf, pattern } = z.toJSONSchema(plainName(20)) as {
    allOf?: { pattern: string }[]
    pattern?: string
  }
  const patterns = [...(allOf ?? []).map((each) => each.pattern), ...(pattern ? [pattern] : [])]
  const matches = (value: string) => patterns.every((each) => new RegExp(each, 'u').test(value))
  expect(patterns).toHaveLength(2)
  for (const value of ['alice', 'role/ops/alice', 'Zoë 🚀'])
    expect([isName(value), matches(value)]).toEqual([true, true])
  for (const value of ['alice\u200b', 'a\nb', '\u3164', ''])
    expect([isName(value), matches(value)]).toEqual([false, false])
})
