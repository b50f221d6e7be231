import * as z from 'zod'
import {
  beginsAt,
  endsAt,
  outerList,
  published,
  replacedFreeze,
  sender,
  text,
  time,
  uris,
} from './event-parts.ts'

/** Events of drains by choice that wait, of floors and of freezes. */
export const clearanceEventDetails = {
  'Drain Waiting': published({
    drainId: text,
    source: z.enum(['alarm', 'operator']),
    who: text,
    sender: sender.optional(),
    why: text,
    uris,
    because: text.describe('what it waits for'),
    beginsAt: beginsAt.optional(),
    endsAt: endsAt.optional(),
  }),
  'Drain Superseded': published({
    ...{ drainId: text, who: text, why: text },
    by: text.describe('whose later request it was dropped for, or that its end has come'),
    sender: sender.optional().describe('of that request'),
    droppedWhy: text.optional().describe('the reason of that request'),
    since: time.describe('from when on it waited'),
  }),
  'Below Floor': published({ floors: outerList(text).describe('those that are not kept, and where') }),
  Frozen: published({
    ...{ who: text, sender: sender.optional(), why: text, until: time.optional() },
    replaces: replacedFreeze.optional(),
  }),
  'Freeze Ended': published({
    ...{ who: text, why: text, since: time, by: text },
    sender: sender.optional().describe('of the message that ended it'),
    endedWhy: text.optional().describe('the reason of the command that ended it'),
  }),
}
