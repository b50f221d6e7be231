import * as z from 'zod'
import { rules } from './findings.ts'

/** What tells a history from other JSON; what its happenings hold is not judged. */
export const historyShape = z.object({
  seed: z.number(),
  edges: z.array(z.object({ id: z.string() })),
  servers: z.array(z.object({ address: z.string() })),
  group: z.object({}),
  happenings: z.array(z.object({ at: z.number(), kind: z.string() })),
  faults: z.array(z.object({ kind: z.string() })),
  skewsMs: z.array(z.number()),
})

const rule = z.enum(Object.keys(rules))
const counts = z.record(z.string(), z.number())
const broken = z.object({
  rule,
  expected: z.string().optional(),
  histories: z.number(),
  seeds: z.array(z.number()),
  first: z.string(),
})

/** The progress of a run, as `ranges.ts` writes it down. */
export const progressShape = z.object({
  from: z.int(),
  histories: z.int(),
  done: z.array(z.int()),
  report: z.object({
    ...{ histories: z.number(), ms: z.number(), undecidableHistories: z.number(), neverCalm: z.number() },
    ...{ hits: counts, applied: counts, undecidable: counts },
    violations: z.record(z.string(), broken),
    firstUnexpected: z
      .object({ seed: z.number(), broken: z.array(z.object({ rule, what: z.string() })) })
      .optional(),
  }),
})

/** Strict: without a condition whose name is misspelled the entry would hide more than was meant. */
const expected = z.strictObject({
  rules: z.array(rule),
  after: z.array(z.array(z.string())).optional(),
  in: z.array(z.array(z.string())).optional(),
  what: z.string().refine(isPattern, 'is no regular expression').optional(),
  case: z.string(),
  reason: z.string(),
})

/** Violations that are expected. */
export const expectedShape = z.array(expected)

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
