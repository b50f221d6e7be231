import * as z from 'zod'
import { InvalidMessage } from '../control/errors.ts'

/** One thing that is wrong with a message: where (a dotted path, `message` for the whole) and what. */
export interface Problem {
  readonly path: string
  readonly what: string
  /** a schema marked it as something that may never be asked for, however well it is written */
  readonly refused: boolean
}

/** @returns the text without the byte order mark that some editors put before it: no JSON begins with one */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

/** @throws InvalidMessage when the text is not JSON. */
export function parseJson(body: string, name: string): unknown {
  try {
    return JSON.parse(withoutMark(body))
  } catch (error) {
    throw new InvalidMessage(
      `${name}: message: not JSON: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    )
  }
}

/** @throws InvalidMessage that lists every problem with its path. */
export function parseAs<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): z.output<Schema> {
  const parsed = check(schema, value)
  if ('problems' in parsed) throw new InvalidMessage(describe(name, parsed.problems))
  return parsed.data
}

/** Parses without throwing: the value, or every problem with its path. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { data: z.output<Schema> } | { problems: Problem[] } {
  const result = schema.safeParse(value, {
    error: (issue) => (issue.input === undefined ? 'is missing' : undefined),
  })
  return result.success ? { data: result.data } : { problems: result.error.issues.flatMap(problems) }
}

/** `<name>: <path>: <what>; <path>: <what>` */
export function describe(name: string, found: readonly Problem[]): string {
  return `${name}: ${found.map(({ path, what }) => `${path}: ${what}`).join('; ')}`
}

function problems(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: at([...issue.path, key]),
      what: 'is not a known key',
      refused: false,
    }))
  const { refused } = (issue.code === 'custom' && issue.params) || {}
  return [{ path: at(issue.path), what: issue.message, refused: refused === true }]
}

function at(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || 'message'
}

/**
 * An instant as AWS writes it, as epoch milliseconds: `2026-11-22T20:00:00Z` (EventBridge), `…00.123Z` (Auto
 * Scaling), `…00.123+0000` (CloudWatch; the colon that ISO 8601's extended format wants is missing there).
 */
export const instant = z
  .string()
  .transform((text) => text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  .pipe(z.iso.datetime({ offset: true, error: 'is not a time such as 2026-11-22T20:00:00.000+0000' }))
  .transform((text) => Date.parse(text))
