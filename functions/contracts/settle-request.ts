import * as z from 'zod'
import { type DestinationUri, destinationUri } from '../control/destination.ts'
import { releaseCommand, reloadCommand } from './command.ts'

/** what asks, for the log: of an event or command its id */
const correlationId = z.string().min(1).exactOptional()

const uri = z.custom<DestinationUri>((text) => typeof text === 'string' && destinationUri(text) !== undefined)

/** So many servers of a dry run are counted beforehand: few enough to make a settle little longer. */
export const mostAtStake = 20

/** What a drain would hold: its calls are counted, and nothing else is done for it. */
const atStake = z.strictObject({
  source: z.literal('operator'),
  id: z.string().min(1),
  subject: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('instance'), instanceId: z.string(), launchedAt: z.number() }),
    z.strictObject({ kind: z.literal('uri'), uri }),
  ]),
  uris: z.array(uri),
  formerUris: z.array(uri).exactOptional(),
  addresses: z.array(z.string()),
  wholeInstance: z.boolean(),
})

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
  /** what a dry run has at stake */
  atStake: z.array(atStake).max(mostAtStake).exactOptional(),
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
