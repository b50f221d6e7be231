import * as z from 'zod'

/**
 * A drain's row as release 0.1.0 reads it (functions/aws/rows.ts at commit 9b79f1b), every type written out.
 */

const uri = z.string().regex(/^sips?:/)
const subject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('instance'), instanceId: z.string(), launchedAt: z.number() }),
  z.object({ kind: z.literal('uri'), uri }),
])

const lifecycleTarget = z.object({
  group: z.string(),
  hook: z.string(),
  token: z.string().exactOptional(),
  instanceId: z.string(),
  transition: z.enum(['launching', 'terminating']),
  policy: z.object({
    callsLeft: z.enum(['retain', 'end-calls', 'terminate']),
    unknown: z.enum(['retain', 'terminate']),
  }),
  endCalls: z.object({ perStep: z.number(), withinSeconds: z.number() }).exactOptional(),
  heartbeatSeconds: z.number(),
})

const edgeMemory = z.object({
  zero: z.object({ at: z.number(), bootTime: z.string(), begun: z.number().exactOptional() }).exactOptional(),
  reaped: z.object({ calls: z.number(), at: z.number() }).exactOptional(),
  everListed: z.boolean(),
})

export const formerDrainRow = z.object({
  id: z.string(),
  attempt: z.number(),
  version: z.number(),
  source: z.enum(['lifecycle', 'alarm', 'operator']),
  holdId: z.string(),
  who: z.string(),
  why: z.string(),
  order: z.string(),
  state: z.enum(['claimed', 'draining', 'drained', 'completing', 'retired', 'ended']),
  requestedAt: z.number(),
  deadlineAt: z.number(),
  instanceId: z.string().exactOptional(),
  subject: subject.exactOptional(),
  uris: z.array(uri),
  addresses: z.array(z.string()),
  wholeInstance: z.boolean(),
  group: z.string().exactOptional(),
  edges: z.record(z.string(), edgeMemory),
  lifecycle: lifecycleTarget.exactOptional(),
  lastHeartbeatAt: z.number().exactOptional(),
  confirmedAt: z.number().exactOptional(),
  overdueSaid: z.boolean().exactOptional(),
  endingSince: z.number().exactOptional(),
  endedCallsAt: z.number().exactOptional(),
  callsEnded: z.number().exactOptional(),
  completion: z.enum(['CONTINUE', 'ABANDON', 'TERMINATE']).exactOptional(),
  retainedAt: z.number().exactOptional(),
  retainedTooLongSaid: z.boolean().exactOptional(),
  completionTries: z.number(),
  steps: z.number(),
  terminatedAt: z.number().exactOptional(),
  result: z
    .enum(['drained', 'absent', 'gone', 'lifted', 'terminated-at-deadline', 'retained', 'action-over'])
    .exactOptional(),
})
