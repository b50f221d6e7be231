import * as z from 'zod'
import { bytesOf } from '../control/longest-key.ts'

/** Of a pattern that JSON Schema takes too: control characters, marks of direction, and what has no glyph. */
const unseen =
  '\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb'
const visible = new RegExp(`[^\\s${unseen}]`)
const plain = new RegExp(`^[^${unseen}]*$`)

const isWellFormed = (value: string) => value.isWellFormed()
const halfCharacter = { error: 'has half a character, a lone surrogate: send whole ones' }

/** What people read: of spaces and invisible characters alone nobody reads anything. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(visible, 'must not be empty: it needs a character that can be seen')
    .refine(isWellFormed, halfCharacter)

/** What tells one from another, and stands in ids, lines of logs and tables. */
export const plainName = (max: number) =>
  text(max).regex(plain, 'must have no control characters, line breaks or invisible characters')

/** What becomes part of a key of DynamoDB, which counts bytes; JSON Schema counts characters. */
export const keyPart = <Text extends z.ZodString>(name: Text, max: number) =>
  name.refine(
    (value) => bytesOf(value) <= max,
    `must be at most ${max} bytes in UTF-8: it is part of a key of the table`,
  )
