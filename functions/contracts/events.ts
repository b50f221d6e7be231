import type * as z from 'zod'
import { clearanceEventDetails } from './clearance-event.ts'
import { commandEventDetails } from './command-event.ts'
import { drainEventDetails, heartbeatEventDetails } from './drain-event.ts'
import { edgeEventDetails } from './edge-event.ts'
import { holdEventDetails } from './hold-event.ts'
import type { EventType } from './names.ts'

/**
 * The detail of each event that we publish, version 1; `events/published` has a sample of each, and
 * `events/schemas` the same as JSON Schema. Tests and the simulator parse every event by these, and
 * production none: an event is published whatever it is like.
 */
export const eventDetails = {
  ...drainEventDetails,
  ...heartbeatEventDetails,
  ...holdEventDetails,
  ...clearanceEventDetails,
  ...edgeEventDetails,
  ...commandEventDetails,
} satisfies Record<EventType, z.ZodType>

type Without<T, Key extends string> = T extends unknown ? Omit<T, Key> : never
type Fixed<T> = T extends object ? { readonly [K in keyof T]: Fixed<T[K]> } : T
/** Its version is given where it is published. */
type Unversioned<T> = Without<T, 'version' | 'leftOut'>

/** What is published of one type. */
export type EventDetail<T extends EventType> = Fixed<Unversioned<z.output<(typeof eventDetails)[T]>>>

/** What happened, for people and machines: who, why, before, after. Never holds a secret. */
export type ControlEvent<T extends EventType = EventType> = {
  [K in T]: { readonly type: K; readonly detail: EventDetail<K> }
}[T]

type Outcome = EventDetail<'Command Answered'>
/** What comes of a command: its event without what was asked. */
export type CommandOutcome<C extends Outcome['command']> = Without<
  Extract<Outcome, { readonly command: C }>,
  'id' | 'command' | 'requestedBy' | 'reason' | 'destination' | 'instance' | 'group' | 'set' | 'zone'
>
