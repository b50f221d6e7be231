import * as z from 'zod'
import { count, edgeResult, outerList, published, sender, text } from './event-parts.ts'

export const reloaded = z.strictObject({
  edge: text,
  outcome: z.enum(['reloaded', 'failed', 'not-tried']),
  detail: text.optional(),
  listed: z.strictObject({ before: count, after: count }).optional().describe('entries of its list'),
})

const released = published({ edge: text, who: text, sender: sender.optional(), why: text })
const edited = { parameter: text, operation: text, edges: outerList(text) }

/** Events of edges, and of the list of them. */
export const edgeEventDetails = {
  'Drift Corrected': published({
    edge: text,
    hold: text,
    who: text,
    sender: sender.optional(),
    why: text,
    result: edgeResult.omit({ edge: true, guarded: true }),
  }),
  'Reload Finished': published({
    requestedBy: text,
    sender: sender.optional(),
    reason: text.optional(),
    edges: outerList(reloaded),
  }),
  'Edge List Changed': published(edited),
  'Edge List Refused': published({ ...edited, reason: text }),
  'Edge Released': released,
  'Edge Release Ended': released,
}
