import * as z from 'zod'
import type { Freeze } from '../control/freeze.ts'
import type { RestartFinding } from '../control/may-restart.ts'
import { reloaded } from './edge-event.ts'
import {
  beginsAt,
  count,
  edgeResult,
  endsAt,
  flags,
  innerList,
  namedHold,
  outerList,
  published,
  replacedFreeze,
  replaces,
  sender,
  text,
  time,
  uris,
} from './event-parts.ts'

const asked = { id: text, requestedBy: text, sender: sender.optional(), reason: text }
/** A drain's or an activate's: exactly one of them. */
const target = {
  ...{ destination: text.optional(), instance: text.optional() },
  ...{ group: text.optional(), set: z.int().optional(), zone: text.optional() },
}
const edges = outerList(edgeResult)
const dryRun = z.literal('dry-run')

const unreadable = z.strictObject({ edge: text, unreadable: text })
const write = z.strictObject({ set: z.int(), uri: text, duid: text.optional(), state: text })
const listed = z.strictObject({
  ...{ set: z.int(), uri: text, flags: text },
  ...{ duid: text.optional(), iuid: text.optional(), address: text.optional() },
})
const entry = { set: z.int(), uri: text, duid: text.optional() }
const edgePlan = {
  writes: innerList(write),
  guards: innerList(z.strictObject({ uri: text, held: z.boolean() })).describe('marks in the drain guard'),
  refused: innerList(listed).describe("entries that can't be written apart from others"),
  givesBack: innerList(
    z.union([z.strictObject({ ...entry, shows: flags }), z.strictObject({ ...entry, stays: text })]),
  ).describe('what each entry shows once it is given back, or why it stays disabled'),
}
const already = innerList(z.strictObject({ ...entry, flags, heldBy: innerList(text) }))
const wouldHold = z.strictObject({
  edge: text,
  calls: z
    .union([
      z.strictObject({ counted: count }),
      z.strictObject({
        notCounted: text.describe('why'),
        ofEdge: count.optional().describe('calls of all media servers there'),
      }),
    ])
    .describe('at stake'),
  plan: z.strictObject({ ...edgePlan, already: already.describe('entries that it need not write') }),
})
const wouldGiveBack = z.strictObject({ edge: text, plan: z.strictObject(edgePlan) })

const held = outerList(namedHold)

/** What came of each of many: what somebody has to look at comes first. */
const member = z.strictObject({
  target: text.describe('an instance id, or the URI of what is no machine of our groups'),
  hold: text,
  result: z.enum(['refused', 'waiting', 'stale', 'started', 'duplicate', 'lifted', 'dropped', 'dry-run']),
  because: text.optional().describe('what it waits for, or why it is refused'),
  replaces: replaces.optional(),
})
const members = {
  members: outerList(member),
  counts: z.record(z.string(), count).describe('result: how many of all have it'),
  unread: outerList(unreadable).describe('edges that could not be read: what they alone list is not in it'),
}

const ofMany = { ...asked, ...target, command: z.literal('drain'), endsAt: endsAt.optional() }
const ofDrain = { ...ofMany, destinations: uris, replaces: replaces.optional() }
const drained = z.discriminatedUnion('result', [
  published({
    ...{ ...ofMany, result: z.literal('bulk') },
    ...{ ...members, edges, beginsAt: beginsAt.optional() },
  }),
  published({
    ...{ ...ofMany, result: z.literal('bulk-dry-run'), heldBy: held.describe('who else holds any of them') },
    ...{ ...members, edges: outerList(z.union([wouldHold, unreadable])) },
  }),
  published({
    ...{ ...ofDrain, result: dryRun, hold: text, heldBy: held.describe('who else holds it') },
    clearance: z.strictObject({ begins: z.boolean(), because: text.optional() }),
    edges: outerList(z.union([wouldHold, unreadable])),
  }),
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
  published({
    ...{ ...mayHaveReason, ...target, command: z.literal('activate'), result: z.literal('bulk') },
    ...{ ...members, edges, stillHeld: held },
  }),
  published({
    ...{ ...ofActivate, result: dryRun, wouldLift: held, wouldDrop: held, stillHeld: held },
    edges: outerList(z.union([wouldGiveBack, unreadable])),
  }),
  published({
    ...ofActivate,
    result: z.enum(['lifted', 'stale', 'nothing-to-lift']),
    ...{ lifted: held, stillHeld: held, edges },
    dropped: held.describe('what waited, and was dropped'),
  }),
])

const ofReload = { ...mayHaveReason, edge: text.optional(), command: z.literal('reload') }
const wouldReload = z.strictObject({
  ...{ edge: text, listed: count.describe('entries of its list now') },
  heldAgain: count.describe('entries that would have to be held again'),
  guarded: z.boolean().describe('its drain guard keeps calls from them until then'),
  readAt: time,
})
const reloadDone = z.discriminatedUnion('result', [
  published({ ...ofReload, result: dryRun, edges: outerList(z.union([wouldReload, unreadable])) }),
  published({ ...ofReload, result: z.enum(['reloaded', 'incomplete']), edges: outerList(reloaded) }),
])

const ofRelease = { ...asked, command: z.literal('release'), edge: text }
const released = z.discriminatedUnion('result', [
  published({ ...ofRelease, result: z.enum(['stale', 'released']) }),
  published({
    ...{ ...ofRelease, result: dryRun },
    removedAt: time.optional().describe('since when it is known to be configured no more'),
    unreadableSince: time.optional(),
    readAt: time.optional().describe('when it was read last; absent: never'),
    drains: outerList(
      z.strictObject({
        drainId: text,
        calls: count.optional().describe('counted there last; absent: unknown'),
      }),
    ).describe('which would go on without it'),
  }),
])

const freeze = z.strictObject({
  ...{ who: text, sender: sender.optional(), why: text, at: time, until: time.optional(), order: text },
  replaces: replacedFreeze.optional(),
  ended: z.strictObject({ at: time, by: text, sender: sender.optional(), why: text.optional() }).optional(),
} satisfies Record<keyof Required<Freeze>, z.ZodType>)
const ofFreeze = { ...asked, command: z.literal('freeze') }
const wouldThaw = {
  ...{ result: dryRun, frozen: freeze.optional().describe('what is in force') },
  waiting: outerList(
    z.strictObject({
      ...{ drainId: text, who: text, why: text, since: time },
      because: text.optional().describe('what it waits for; absent: it begins within a minute'),
    }),
  ),
  wouldBegin: outerList(text).describe('drains that wait, and would begin if there were no freeze'),
  wouldLift: held.describe('holds that wait for the end of the freeze, and are lifted after it'),
}
const frozen = z.discriminatedUnion('result', [
  published({
    ...{ ...ofFreeze, result: z.literal('frozen'), until: time.optional() },
    replaces: replacedFreeze.optional(),
  }),
  published({ ...ofFreeze, result: z.literal('stale'), frozen: freeze.optional() }),
  published({ ...ofFreeze, ...wouldThaw }),
])
const ofUnfreeze = { ...mayHaveReason, command: z.literal('unfreeze') }
const unfrozen = z.discriminatedUnion('result', [
  published({
    ...{ ...ofUnfreeze, result: z.enum(['unfrozen', 'not-frozen', 'stale']) },
    frozen: freeze.optional().describe('what is in force'),
  }),
  published({ ...ofUnfreeze, ...wouldThaw }),
])

const finding = z.strictObject({
  finding: z.enum([
    'unreadable',
    'calls-unknown',
    'calls-up',
    'drains-held-up',
    'ending-calls',
    'holds-forgotten',
    'zeros-forgotten',
    'later-drains',
  ]),
  means: z.enum(['no', 'unknown', 'note']).describe('what it makes of the result; note: nothing'),
  words: text,
  drains: innerList(text).optional().describe('ids of those that it is about'),
} satisfies Record<keyof RestartFinding, z.ZodType>)
const mayRestart = published({
  ...{ ...mayHaveReason, command: z.literal('may-restart'), edge: text },
  result: z.enum(['yes', 'no', 'unknown']),
  readAt: time.optional(),
  restoresDialogs: z.boolean().optional().describe('it counts calls again after a restart'),
  calls: count.optional().describe('up or being set up, whoever has them'),
  findings: outerList(finding),
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
    mayRestart,
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
