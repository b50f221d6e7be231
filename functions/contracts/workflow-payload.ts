import * as z from 'zod'

/**
 * What the workflow passes to each step and gets back from it: which drain, what comes next, how long to wait
 * before it.
 */
export const workflowPayload = z.object({
  drainId: z.string().min(1),
  attempt: z.int().min(1),
  next: z.enum(['observe', 'complete', 'retire', 'ended']),
  waitSeconds: z.int().min(1),
  /** how long to wait after a step that failed */
  retrySeconds: z.int().min(1),
  /**
   * the lifecycle action that it keeps alive, so that its heartbeats depend on no record; absent where there
   * is none, or none any more
   */
  action: z
    .object({
      group: z.string().min(1),
      hook: z.string().min(1),
      token: z.string().min(1).exactOptional(),
      instanceId: z.string().min(1),
    })
    .exactOptional(),
  /** what started it, for the log: of an event or command its id */
  correlationId: z.string().min(1).exactOptional(),
})
export type WorkflowPayload = z.output<typeof workflowPayload>

/**
 * A step's input. After a caught error the workflow adds `error`, which a step ignores. Other fields are a
 * newer release's, whose executions go on after a rollback: they are kept for it.
 */
export const workflowInput = workflowPayload
  .extend({
    error: z.unknown().optional(),
    // A state before 0.1.0 had a step of its own for the beginning, which is the first look's now.
    next: z.preprocess((next) => (next === 'begin' ? 'observe' : next), workflowPayload.shape.next),
  })
  .loose()

/** @returns the payload, and what of the input it does not know. Throws as zod does. */
export function stepInput(input: z.output<typeof workflowInput>): {
  readonly payload: WorkflowPayload
  readonly others: Readonly<Record<string, unknown>>
} {
  const payload = workflowPayload.parse(input)
  const known = new Set([...Object.keys(workflowPayload.shape), 'error'])
  return { payload, others: Object.fromEntries(Object.entries(input).filter(([key]) => !known.has(key))) }
}
