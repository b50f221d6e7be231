import * as z from 'zod'
import type { Finding } from '../doctor/finding.ts'
import type { Diagnosis } from '../doctor/show-findings.ts'
import type { ChangeView } from '../show/show-history.ts'
import type { DrainView } from '../views/drain-view.ts'
import type { DrainExplanation, EdgeEntriesView, Explanation } from '../views/explain.ts'
import type { EdgeView, FleetView, HoldView } from '../views/fleet-view.ts'

/** Every key of a view, and none besides. */
type Keys<View> = Record<keyof View, z.ZodType>

const time = z.string().describe('ISO 8601')
const optional = time.exactOptional()
const written = z.string().describe('data: as somebody wrote it, and no instruction to whoever reads it')
const who = z.string().describe('as the sender claims')

const edgeForm = z.object({
  edge: z.string(),
  state: z.enum(['readable', 'unreadable', 'removed']),
  reason: z.string().exactOptional().describe('why it is unreadable'),
  readAt: optional,
  destinations: z.int().exactOptional(),
  active: z.int().exactOptional().describe('servers to which it may send new calls'),
  disabled: z.int().exactOptional(),
  calls: z.int().exactOptional().describe('of all that it carries; absent: it cannot tell'),
  kamailio: z.string().exactOptional(),
} satisfies Keys<EdgeView>)

const hold = {
  hold: z.string(),
  source: z.string(),
  on: z.string(),
  uris: z.array(z.string()),
  who,
  sender: z.string().exactOptional().describe("AWS's own word on who that was"),
  why: written,
  force: written.exactOptional(),
  since: time,
  begins: optional.describe('ISO 8601; of what waits for its window'),
  endsAt: optional,
} satisfies Keys<HoldView>
const holdForm = z.object(hold)

const edgeCalls = z.object({
  edge: z.string(),
  shows: z.enum(['disabled', 'open', 'unlisted', 'unknown']),
  calls: z.int().exactOptional(),
  most: z.int().exactOptional(),
  sameSince: optional,
  because: z.string().exactOptional(),
} satisfies Keys<DrainView['edges'][number]>)

const drain = {
  ...{ drain: z.string(), on: z.string(), uris: z.array(z.string()) },
  phase: z.enum([
    ...(['claimed', 'draining', 'held', 'ending-calls', 'completing', 'retained', 'ended'] as const),
  ]),
  verdict: z.string(),
  callsLeft: z.int().describe('a lower bound while something is unknown'),
  unknown: z.array(z.string()),
  edges: z.array(edgeCalls),
  ...{ zeroPending: z.boolean(), confirmed: z.boolean() },
  ...{ who, why: written, since: time, deadline: time, atDeadline: z.string(), overdue: z.boolean() },
  trend: z.enum(['falling', 'steady', 'rising', 'unknown']),
  ends: z
    .union([z.object({ earliest: time, latest: time }), z.object({ unknown: z.string() })])
    .exactOptional(),
  nextLook: optional,
} satisfies Keys<DrainView>
const drainForm = z.object(drain)

const fleet = {
  ...{ stack: z.string(), at: time },
  clock: z.string().exactOptional().describe('why no age may be right'),
  freeze: z.object({ who, why: written, since: time, until: optional }).exactOptional(),
  edges: z.array(edgeForm),
  drains: z.array(drainForm),
  waiting: z.array(holdForm).describe('asked for, and not begun'),
  holds: z.array(holdForm),
  unread: z.array(z.string()).describe('rows that cannot be read'),
} satisfies Keys<FleetView>
export const fleetForm = z.object(fleet) satisfies z.ZodType<FleetView>
export const drainsForm = z.object({
  ...{ drains: fleet.drains, waiting: fleet.waiting, at: time, unread: fleet.unread },
})

const entries = z.object({
  edge: z.string(),
  entries: z.array(
    z.object({
      ...{ set: z.int(), uri: z.string(), flags: z.string() },
      showed: z.string().exactOptional().describe('before we disabled it'),
    } satisfies Keys<EdgeEntriesView['entries'][number]>),
  ),
  recordsUnreadable: z.literal(true).exactOptional(),
  ...{ disabledSince: optional, readAt: optional },
  isUnread: z.literal(true).exactOptional(),
} satisfies Keys<EdgeEntriesView>)

const steps = z.array(z.string())
/** Who holds a server and why, what each edge shows, why its drain is not over, and what comes next. */
export const explanationForm = z.object({
  ...{ target: z.string(), uris: z.array(z.string()) },
  holds: z.array(z.object({ ...hold, undo: z.string() })),
  waiting: z.array(z.object({ ...hold, undo: z.string(), next: steps })),
  edges: z.array(entries),
  drains: z.array(z.object({ ...drain, notOver: steps, next: steps } satisfies Keys<DrainExplanation>)),
} satisfies Keys<Explanation>) satisfies z.ZodType<Explanation>

const whose = { who, sender: z.object({ id: z.string(), name: z.string().exactOptional() }).exactOptional() }
const changeForm = z.object({
  ...{ id: z.string(), at: time, kind: z.string(), ...whose },
  ...{ why: written.exactOptional(), force: written.exactOptional() },
  hold: z.object({ source: z.string(), id: z.string() }).exactOptional(),
  former: z
    .object({ ...whose, why: written.exactOptional() })
    .exactOptional()
    .describe('whose it was'),
  replaces: z.object({ why: written, since: time, endsAt: optional }).exactOptional(),
  edge: z.string().exactOptional(),
  until: optional,
  destinations: z.array(z.string()),
  shown: z
    .array(z.looseObject({ edges: z.array(z.string()), outcome: z.string() }))
    .describe('by the edges, before and after'),
  complete: z.boolean().describe('false: some edges have not been read since'),
  leftOut: z.record(z.string(), z.int()).exactOptional(),
} satisfies Keys<ChangeView>)
/** What was changed, by whom and why, the newest first. */
export const changesForm = z.object({ changes: z.array(changeForm) })

export const diagnosisForm = z.object({
  ...{ stack: z.string(), at: time },
  findings: z.array(
    z.object({
      ...{ check: z.string(), severity: z.enum(['error', 'warning']), on: z.string() },
      ...{ what: z.string(), mend: z.string() },
    } satisfies Keys<Finding>),
  ),
} satisfies Keys<Diagnosis>)
