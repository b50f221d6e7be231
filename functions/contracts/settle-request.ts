import * as z from 'zod'
import { releaseCommand, reloadCommand } from './command.ts'

/** what asks, for the log: of an event or command its id */
const correlationId = z.string().min(1).exactOptional()

const settle = z.strictObject({
  kind: z.literal('settle'),
  correlationId,
  /** epoch ms: readings that were begun earlier will not do; left out: those that know every change will */
  notBefore: z.number().exactOptional(),
  /**
   * ends calls of a hold: how many on which edge. A step that an edge has begun already, or one before it, is
   * not done again.
   */
  endCalls: z
    .strictObject({
      hold: z.string().min(1),
      step: z.number(),
      shares: z.record(z.string(), z.int().min(0)),
    })
    .exactOptional(),
})

/**
 * What the settle function is asked for: to settle, by the schedule once a minute, or for what is about edges
 * themselves.
 */
export const settleRequest = z.discriminatedUnion('kind', [
  settle,
  z.strictObject({ kind: z.literal('minute'), correlationId }),
  z.strictObject({
    kind: z.literal('edges-changed'),
    correlationId,
    parameter: z.string(),
    operation: z.string(),
  }),
  z.strictObject({
    kind: z.literal('command'),
    correlationId,
    command: z.union([reloadCommand, releaseCommand]),
    order: z.string().min(1),
    sender: z
      .strictObject({ id: z.string().min(1), name: z.string().min(1).exactOptional() })
      .exactOptional(),
  }),
])
export type SettleRequest = z.output<typeof settleRequest>
