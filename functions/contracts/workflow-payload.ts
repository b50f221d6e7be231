import * as z from 'zod'

/** What the workflow passes to each step and gets back from it: which drain, what comes next, how long to wait before it. */
export const workflowPayload = z.strictObject({
  drainId: z.string().min(1),
  attempt: z.int().min(1),
  next: z.enum(['begin', 'observe', 'complete', 'retire', 'ended']),
  waitSeconds: z.int().min(1),
  /** how long to wait after a step that failed */
  retrySeconds: z.int().min(1),
  /** what started it, for the log: of an event or command its id */
  correlationId: z.string().min(1).exactOptional(),
})
export type WorkflowPayload = z.output<typeof workflowPayload>

/** A step's input: after a caught error the workflow adds `error`, which a step ignores. */
export const workflowInput = workflowPayload.extend({ error: z.unknown().optional() })
