import * as z from 'zod'
import type { EdgeResult, ShownEntry } from '../control/edge-result.ts'
import type { ReplacedFreeze } from '../control/freeze.ts'
import { holdSources, type ReplacedHold } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import { eventVersion, longestInnerList, longestList, longestText } from './published-event.ts'

/** What the schemas of published events are made of. */

export const text = z.string().max(longestText)
export const time = z.number().describe('epoch milliseconds')
export const count = z.int().min(0)
export const outerList = <Entry extends z.ZodType>(entry: Entry) => z.array(entry).max(longestList)
export const innerList = <Entry extends z.ZodType>(entry: Entry) => z.array(entry).max(longestInnerList)
export const uris = outerList(text).describe('SIP URIs, verbatim as dispatcher.list shows them')

/** The schema of one event type's detail. Unknown keys are errors: consumers may rely on what is named. */
export function published<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({
    version: z.literal(eventVersion),
    happenedAt: time.optional().describe('epoch milliseconds; where it may be published later'),
    leftOut: z
      .record(z.string(), z.int())
      .optional()
      .describe('path of each list that was cut: how many entries are missing'),
    ...shape,
  })
}

/** Whom AWS names as the sender: an SQS SenderId, or an alarm's ARN. */
export const sender = z.strictObject({
  id: text,
  name: text.optional().describe('what the settings call it'),
} satisfies Record<keyof Sender, z.ZodType>)

export const flags = z.templateLiteral([z.enum(['A', 'I', 'D', 'T']), z.enum(['P', 'N', 'X'])])

const shownEntry = z.strictObject({
  set: z.int(),
  uri: text,
  before: flags,
  after: flags,
} satisfies Record<keyof ShownEntry, z.ZodType>)

/** What came of a change on one edge. */
export const edgeResult = z.strictObject({
  edge: text,
  outcome: z.enum(['applied', 'already', 'unlisted', 'pending', 'unreachable', 'refused']),
  detail: text.optional(),
  guarded: z.boolean().optional().describe('false: a reload opens it until it is settled again'),
  entries: innerList(shownEntry),
  more: z.int().optional().describe('entries that are left out'),
} satisfies Record<keyof Required<EdgeResult>, z.ZodType>)

export const endsAt = time.describe('when its hold is lifted by itself, in epoch milliseconds')

export const beginsAt = time.describe('when its window begins, in epoch milliseconds')

/** One's own hold that a newer drain takes the place of: what is left out had no end. */
export const replaces = z
  .strictObject({
    ...{ why: text, since: time, endsAt: endsAt.optional() },
  } satisfies Record<keyof Required<ReplacedHold>, z.ZodType>)
  .describe("the same operator's hold that this one takes the place of, with its end or none")

export const replacedFreeze = z
  .strictObject({
    ...{ who: text, sender: sender.optional(), why: text, since: time, until: time.optional() },
  } satisfies Record<keyof Required<ReplacedFreeze>, z.ZodType>)
  .describe(
    "the freeze that it takes the place of; where that is its sender's own, the one of another sender that it had replaced, while that would last",
  )

/** A hold that an event names. */
export const namedHold = z.strictObject({
  source: z.enum(holdSources),
  id: text,
  who: text,
  sender: sender.optional(),
  why: text,
  endsAt: endsAt.optional(),
})
