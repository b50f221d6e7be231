import * as z from 'zod'

import { count, edgeResult, endsAt, outerList, published, sender, text, time, uris } from './event-parts.ts'

const because = z.enum([
  'drained',
  'absent',
  'gone',
  'lifted',
  'terminated-at-deadline',
  'retained',
  'action-over',
])

/** Who, why, what: in every event of a drain. One that comes twice has the same `eventId`. */
const summary = {
  eventId: text.optional(),
  drainId: text,
  attempt: count,
  source: z.enum(['lifecycle', 'alarm', 'operator']),
  who: text,
  sender: sender.optional(),
  why: text,
  force: text.optional().describe('why it began whatever clearance asks for'),
  instanceId: text.optional(),
  group: text.optional().describe('the Auto Scaling group'),
  uris,
  state: z.enum(['claimed', 'draining', 'drained', 'completing', 'ended']),
  result: because.optional(),
  requestedAt: time,
  deadlineAt: time,
  endsAt: endsAt.optional(),
  callsEnded: count.optional(),
}

const callsLeft = {
  callsLeft: count.describe('a lower bound while something is unknown'),
  unknown: outerList(text).describe('what could not be counted, and why'),
}

/** What names a lifecycle action to Auto Scaling. */
const actionRef = { group: text, hook: text, token: text.optional(), instanceId: text }
const completion = z.enum(['CONTINUE', 'ABANDON', 'TERMINATE'])
const answered = { action: z.strictObject(actionRef), completion }

/** The events that a drain's record keeps until they are published. */
export const drainEventDetails = {
  'Drain Started': published(summary),
  'Drain Confirmed': published({
    ...summary,
    edges: outerList(edgeResult),
    kamailio: z.record(z.string(), text).describe('edge: its version'),
  }),
  'Drain Progress': published({
    ...summary,
    verdict: z.enum(['draining', 'drained', 'overdue', 'unknown', 'absent', 'gone']),
    ...callsLeft,
    released: outerList(text).describe('edges that an operator released'),
    lacks: outerList(text).describe('what the edges lack for a drain to be sure'),
    edges: outerList(edgeResult).optional(),
    ending: z
      .union([z.strictObject({ earliest: time, latest: time }), z.strictObject({ unknown: text })])
      .optional()
      .describe('when the drain will most likely be over, or why nobody can tell'),
  }),
  'Drain Drained': published(summary),
  'Drain Overdue': published({
    ...summary,
    ...callsLeft,
    policy: z.enum(['retain', 'end-calls', 'terminate']).optional(),
    because: text.optional(),
  }),
  'Calls Ended': published({
    ...summary,
    policy: z.literal('end-calls'),
    ended: count,
    edges: outerList(z.strictObject({ edge: text, ended: count, failed: text.optional() })),
  }),
  'Drain Ended': published(summary),
  'Lifecycle Action Completed': published({
    ...summary,
    ...answered,
    outcome: z.enum(['completed', 'over']),
  }),
  'Lifecycle Action Completion Failed': published({ ...summary, ...answered, tries: count, error: text }),
  'Instance Retained': published(summary),
  'Retained Too Long': published({ ...summary, ...callsLeft, ageMs: count }),
}

export const heartbeatEventDetails = {
  'Heartbeat Failed': published({ drainId: text, ...actionRef, error: text }),
}
