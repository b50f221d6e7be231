import * as z from 'zod'
import { reloaded } from './edge-event.ts'
import {
  beginsAt,
  count,
  edgeResult,
  endsAt,
  innerList,
  namedHold,
  outerList,
  published,
  sender,
  text,
  time,
  uris,
} from './event-parts.ts'

const asked = { id: text, requestedBy: text, sender: sender.optional(), reason: text }
/** A drain's or an activate's: exactly one of the two. */
const target = { destination: text.optional(), instance: text.optional() }
const edges = outerList(edgeResult)
const dryRun = z.literal('dry-run')

const unreadable = z.strictObject({ edge: text, unreadable: text })
const write = z.strictObject({ set: z.int(), uri: text, duid: text.optional(), state: text })
const listed = z.strictObject({
  ...{ set: z.int(), uri: text, flags: text },
  ...{ duid: text.optional(), iuid: text.optional(), address: text.optional() },
})
const planned = z.strictObject({
  edge: text,
  plan: z.strictObject({ writes: innerList(write), refused: innerList(listed) }),
})

const held = outerList(namedHold)

const ofDrain = {
  ...{ ...asked, ...target, command: z.literal('drain'), destinations: uris },
  endsAt: endsAt.optional(),
}
const drained = z.discriminatedUnion('result', [
  published({ ...ofDrain, result: dryRun, edges: outerList(z.union([planned, unreadable])) }),
  published({ ...ofDrain, result: z.enum(['started', 'duplicate', 'stale']), hold: text, edges }),
  published({
    ...{ ...ofDrain, result: z.literal('waiting'), hold: text, edges },
    because: text.describe('what it waits for'),
    beginsAt: beginsAt.optional(),
  }),
])

const mayHaveReason = { ...asked, reason: text.optional() }
const ofActivate = { ...mayHaveReason, ...target, command: z.literal('activate'), destinations: uris }
const activated = z.discriminatedUnion('result', [
  published({ ...ofActivate, result: dryRun, wouldLift: held, stillHeld: held }),
  published({
    ...ofActivate,
    result: z.enum(['lifted', 'stale', 'nothing-to-lift']),
    ...{ lifted: held, stillHeld: held, edges },
    dropped: held.describe('what waited, and was dropped'),
  }),
])

const ofReload = { ...mayHaveReason, edge: text.optional(), command: z.literal('reload') }
const counted = z.strictObject({ edge: text, listed: count })
const reloadDone = z.discriminatedUnion('result', [
  published({ ...ofReload, result: dryRun, edges: outerList(z.union([counted, unreadable])) }),
  published({ ...ofReload, result: z.enum(['reloaded', 'incomplete']), edges: outerList(reloaded) }),
])

const released = published({
  ...asked,
  command: z.literal('release'),
  ...{ result: z.enum(['dry-run', 'stale', 'released']), edge: text },
})

const freeze = z.strictObject({
  ...{ who: text, sender: sender.optional(), why: text, at: time, until: time.optional(), order: text },
  ended: z.strictObject({ at: time, by: text }).optional(),
})
const ofFreeze = { ...asked, command: z.literal('freeze') }
const frozen = z.discriminatedUnion('result', [
  published({ ...ofFreeze, result: z.literal('frozen'), until: time.optional() }),
  published({ ...ofFreeze, result: z.enum(['dry-run', 'stale']), frozen: freeze.optional() }),
])
const unfrozen = published({
  ...{ ...mayHaveReason, command: z.literal('unfreeze') },
  result: z.enum(['unfrozen', 'not-frozen', 'dry-run', 'stale']),
  frozen: freeze.optional().describe('what is in force'),
})

/** Events of commands, and of messages that were rejected. */
export const commandEventDetails = {
  'Command Answered': z.discriminatedUnion('command', [
    drained,
    activated,
    reloadDone,
    released,
    frozen,
    unfrozen,
  ]),
  'Command Settled': published({ id: text, hold: text, answeredAt: time, edges }),
  'Message Rejected': published({
    error: text,
    reason: text,
    sender: sender.optional(),
    read: z.record(z.string(), text).describe('what the message names, as far as it could be read'),
    message: text.describe('the beginning of the message'),
  }),
}
