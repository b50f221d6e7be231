import * as z from 'zod'
import { eventTypes } from '../contracts/names.ts'
import type { PublishedEvent } from '../contracts/published-event.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import type { CommandInShort, TargetKey } from '../control/command-in-short.ts'
import type { DestinationUri, Flags } from '../control/destination.ts'
import { destinationUri } from '../control/destination.ts'
import type { ChosenHold } from '../control/drain.ts'
import type { EdgeRelease } from '../control/edge-release.ts'
import { UnexpectedAnswer } from '../control/errors.ts'
import type { Freeze, ReplacedFreeze } from '../control/freeze.ts'
import {
  type Hold,
  holdSources,
  type Many,
  type ReplacedHold,
  type RequestIntent,
  type SeenRequest,
  type Subject,
} from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import type { KeptEvent } from '../ports/events.ts'
import type { CommandPlan, PendingOutcome, PlanUse } from '../ports/store.ts'

/** What is wrong is kept with an edge's head, which is read all the time. */
const mostProblems = 5

/** @throws UnexpectedAnswer */
export function parseAnswer<T>(schema: z.ZodType<T>, data: unknown, key: string): T {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues
    .slice(0, mostProblems)
    .map((issue) => `${issue.path.join('.') || 'all of it'}: ${issue.message}`)
  const more = parsed.error.issues.length - problems.length
  throw new UnexpectedAnswer(`${key}: ${problems.join('; ')}${more > 0 ? `; and ${more} more` : ''}`)
}

/** Of one partition. One that can't be read keeps none of the others back: `unread` names each, with why. */
export function parseRows<T>(
  schema: z.ZodType<T>,
  rows: readonly { readonly sk: string; readonly data: unknown }[],
  partition: string,
): { readonly read: readonly T[]; readonly unread: readonly string[] } {
  const read: T[] = []
  const unread: string[] = []
  for (const { sk, data } of rows) {
    try {
      read.push(parseAnswer(schema, data, `${partition}/${sk}`))
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error
      unread.push(error.message)
    }
  }
  return { read, unread }
}

/**
 * One schema per field, the optional ones too: a field that is added to the type alone would be
 * written and silently dropped when read.
 */
export type Fields<T> = { [K in keyof Required<T>]: z.ZodType }
/** Every value of a type: one that is missing would be written and refused when read. */
export type Each<T extends string> = { [K in T]: K }

/**
 * An entry in a row. Its set is `group` there: a release before 0.2 wrote it so, and reads it after a
 * rollback.
 */
export type EntryRow<T extends { readonly set: number }> = Omit<T, 'set'> & { readonly group: number }

export function fromEntryRow<T extends { readonly group: number }>({ group, ...entry }: T) {
  return { set: group, ...entry }
}

export function toEntryRow<T extends { readonly set: number }>({ set, ...entry }: T): EntryRow<T> {
  return { group: set, ...entry }
}

export const uri = z.string().transform((text, context): DestinationUri => {
  const parsed = destinationUri(text)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: `"${text}" is not a SIP URI` })
  return z.NEVER
})
export const flags: z.ZodType<Flags> = z.templateLiteral([
  z.enum(['A', 'I', 'D', 'T']),
  z.enum(['P', 'N', 'X']),
])
export const subject: z.ZodType<Subject> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('instance'), instanceId: z.string(), launchedAt: z.number() }),
  z.object({ kind: z.literal('uri'), uri }),
])

export const sender: z.ZodType<Sender> = z.object({
  id: z.string(),
  name: z.string().exactOptional(),
} satisfies Fields<Sender>)

export const many: z.ZodType<Many> = z.union([
  z.object({ group: z.string() }),
  z.object({ set: z.number() }),
  z.object({ zone: z.string() }),
])

export const replaced: z.ZodType<ReplacedHold> = z.object({
  ...{ why: z.string(), since: z.number(), endsAt: z.number().exactOptional() },
} satisfies Fields<ReplacedHold>)

const endedBy = { by: z.string(), sender: sender.exactOptional(), why: z.string().exactOptional() }

const holdFields = {
  source: z.enum(holdSources),
  id: z.string(),
  subject,
  uris: z.array(uri),
  formerUris: z.array(uri).exactOptional(),
  addresses: z.array(z.string()),
  wholeInstance: z.boolean(),
  shownAt: z.number().exactOptional(),
  group: z.string().exactOptional(),
  who: z.string(),
  sender: sender.exactOptional(),
  why: z.string(),
  force: z.string().exactOptional(),
  placedAt: z.number(),
  until: z.number().exactOptional(),
  endsAt: z.number().exactOptional(),
  of: many.exactOptional(),
  replaces: replaced.exactOptional(),
  order: z.string(),
  lifted: z
    .object({ at: z.number(), ...endedBy } satisfies Fields<NonNullable<Hold['lifted']>>)
    .exactOptional(),
} satisfies Fields<Hold>
export const holdRow: z.ZodType<Hold> = z.object(holdFields)

const { source: _source, until: _until, ...ofChosen } = holdFields
const { shownAt: _shownAt, lifted: _lifted, replaces: _replaces, ...placed } = ofChosen

export const waitingRow: z.ZodType<WaitingDrain> = z.object({
  hold: z.object({
    ...placed,
    source: z.enum({ alarm: 'alarm', operator: 'operator' } satisfies Each<ChosenHold['source']>),
    until: z.number(),
  } satisfies Fields<ChosenHold>),
  since: z.number(),
  beginsAt: z.number().exactOptional(),
  overduePublished: z.literal(true).exactOptional(),
} satisfies Fields<WaitingDrain>)

export const freezeRow: z.ZodType<Freeze> = z.object({
  who: z.string(),
  sender: sender.exactOptional(),
  why: z.string(),
  at: z.number(),
  until: z.number().exactOptional(),
  order: z.string(),
  replaces: z
    .object({
      ...{ who: z.string(), sender: sender.exactOptional(), why: z.string() },
      ...{ since: z.number(), until: z.number().exactOptional() },
    } satisfies Fields<ReplacedFreeze>)
    .exactOptional(),
  ended: z
    .object({ at: z.number(), ...endedBy } satisfies Fields<NonNullable<Freeze['ended']>>)
    .exactOptional(),
} satisfies Fields<Freeze>)

export const releaseRow: z.ZodType<EdgeRelease> = z.object({
  edge: z.string(),
  who: z.string(),
  sender: sender.exactOptional(),
  why: z.string(),
  at: z.number(),
  order: z.string(),
  ended: z.object({ at: z.number() }).exactOptional(),
} satisfies Fields<EdgeRelease>)

export const keptEventRow: z.ZodType<KeptEvent> = z.object({
  id: z.string(),
  at: z.number(),
  event: z.object({
    type: z.enum(Object.values(eventTypes)),
    detail: z.record(z.string(), z.unknown()),
  } satisfies Fields<PublishedEvent>),
  reason: z.string(),
} satisfies Fields<KeptEvent>)

export const pendingOutcomeRow: z.ZodType<PendingOutcome> = z.object({
  id: z.string(),
  command: z.string(),
  since: z.number(),
  hold: holdRow,
  edges: z.array(z.string()),
  at: z.number(),
} satisfies Fields<PendingOutcome>)

/** A release before 0.2 did not write the intent: nothing is lifted for it. */
export const seenRow: z.ZodType<SeenRequest> = z.object({
  order: z.string(),
  intent: z.enum({ hold: 'hold', lift: 'lift' } satisfies Each<RequestIntent>).default('hold'),
} satisfies Fields<SeenRequest>)

export const commandPlanRow: z.ZodType<CommandPlan> = z.object({
  of: z.string(),
  sender: z.string(),
  at: z.number(),
  usedBy: z.object({ command: z.string(), order: z.string() } satisfies Fields<PlanUse>).exactOptional(),
} satisfies Fields<CommandPlan>)

export const commandInShortRow: z.ZodType<CommandInShort> = z.object({
  ...{ id: z.string(), at: z.number(), command: z.string(), result: z.string(), who: z.string() },
  ...{ on: z.string().exactOptional(), because: z.string().exactOptional() },
  key: z
    .enum({
      ...{ destination: 'destination', instance: 'instance', edge: 'edge' },
      ...{ group: 'group', set: 'set', zone: 'zone' },
    } satisfies Each<TargetKey>)
    .exactOptional(),
} satisfies Fields<CommandInShort>)

export const askedRow = z.string()

export const outcomeRow: z.ZodType<Record<string, unknown>> = z.record(z.string(), z.unknown())
