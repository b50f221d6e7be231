import * as z from 'zod'
import type { DrainEvent, DrainEventName } from '../control/drain-events.ts'
import type { Each, Fields } from './rows.ts'

const savedEvent = z.object({
  name: z.enum({
    drainStarted: 'drainStarted',
    drainConfirmed: 'drainConfirmed',
    drainProgress: 'drainProgress',
    drained: 'drained',
    drainOverdue: 'drainOverdue',
    callsEnded: 'callsEnded',
    drainEnded: 'drainEnded',
    lifecycleCompleted: 'lifecycleCompleted',
    lifecycleCompletionFailed: 'lifecycleCompletionFailed',
    instanceRetained: 'instanceRetained',
    retainedTooLong: 'retainedTooLong',
  } satisfies Each<DrainEventName>),
  id: z.string().exactOptional(),
  at: z.number().exactOptional(),
  detail: z.record(z.string(), z.unknown()),
} satisfies Fields<DrainEvent>)
/** It is published with the detail that it was saved with, whatever that is like. */
export const drainEvent = z.custom<DrainEvent>(
  (event) => savedEvent.safeParse(event).success,
  'is no event of a drain',
)
