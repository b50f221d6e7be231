import * as z from 'zod'
import { edgeResult, namedHold, outerList, published, sender, text, uris } from './event-parts.ts'

/** Events of holds, of launches that end them, and of what the sweep found. */

const sweptBy = { why: text }
const swept = z.discriminatedUnion('what', [
  published({ what: z.literal('instance'), instanceId: text, hook: text, ...sweptBy }),
  published({ what: z.literal('launch'), instanceId: text, hook: text, ...sweptBy }),
  published({ what: z.literal('drain'), drainId: text, ...sweptBy }),
  published({ what: z.literal('alarm'), alarm: text, holdId: text, ...sweptBy }),
])

export const holdEventDetails = {
  'Hold Lifted': published({
    source: namedHold.shape.source,
    holdId: text,
    uris,
    by: text,
    sender: sender.optional().describe('of the message that lifted it'),
    why: text.optional().describe('its reason'),
    placedBy: text,
    placedBySender: sender.optional(),
    edges: outerList(edgeResult),
  }),
  'Launch Admitted': published({
    instanceId: text,
    uris,
    ended: outerList(namedHold),
    still: outerList(namedHold),
    edges: outerList(edgeResult),
  }),
  'Launch Unlisted': published({
    instanceId: text,
    known: z.boolean().describe('EC2 shows the machine, and that it is not gone'),
    unread: outerList(text).describe('edges whose list could not be read'),
  }),
  Swept: swept,
}
