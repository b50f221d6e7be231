import * as z from 'zod'
import type { Change, Reload, Shown, Superseded } from '../control/change.ts'
import type { EdgeResult, ShownEntry } from '../control/edge-result.ts'
import type { FiledChange } from '../control/filed-change.ts'
import { holdSources } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import {
  type Each,
  type Fields,
  flags,
  freezeRow,
  holdRow,
  releaseRow,
  replaced,
  sender,
  uri,
} from './rows.ts'

const text = z.string()

const shownRow = z.object({
  edges: z.array(text),
  outcome: z.enum({
    ...{ applied: 'applied', already: 'already', unlisted: 'unlisted', pending: 'pending' },
    ...{ unreachable: 'unreachable', refused: 'refused' },
    ...{ reloaded: 'reloaded', failed: 'failed', 'not-tried': 'not-tried' },
  } satisfies Each<Shown['outcome']>),
  detail: text.exactOptional(),
  guarded: z.boolean().exactOptional(),
  entries: z.array(
    z.object({ set: z.number(), uri, before: flags, after: flags } satisfies Fields<ShownEntry>),
  ),
  more: z.number().exactOptional(),
  listed: z.object({ before: z.number(), after: z.number() }).exactOptional(),
} satisfies Fields<Omit<EdgeResult, 'edge'> & Shown>)

const whose = { who: text, sender: sender.exactOptional(), why: text.exactOptional() }
const superseded = z.object({
  ...{ at: z.number(), by: text },
  sender: sender.exactOptional(),
  why: text.exactOptional(),
  order: text.exactOptional(),
} satisfies Fields<Superseded>)
const reload = z.object({ id: text, ...whose } satisfies Fields<Reload>)

const open = { id: text, shown: z.array(shownRow), filedAt: z.number().exactOptional() }

export const changeRow: z.ZodType<Change> = z.discriminatedUnion('kind', [
  z.object({ ...open, kind: z.enum(['placed', 'lifted', 'retired']), hold: holdRow }),
  z.object({ ...open, kind: z.literal('superseded'), hold: holdRow, superseded }),
  z.object({ ...open, kind: z.enum(['frozen', 'freeze-ended']), freeze: freezeRow }),
  z.object({ ...open, kind: z.enum(['released', 'release-ended']), release: releaseRow }),
  z.object({ ...open, kind: z.literal('reloaded'), reload }),
])

export const filedChangeRow: z.ZodType<FiledChange> = z.object({
  ...{ id: text, at: z.number() },
  kind: z.enum({
    ...{ placed: 'placed', lifted: 'lifted', retired: 'retired', superseded: 'superseded' },
    ...{ frozen: 'frozen', 'freeze-ended': 'freeze-ended' },
    ...{ released: 'released', 'release-ended': 'release-ended', reloaded: 'reloaded' },
  } satisfies Each<Change['kind']>),
  ...whose,
  force: text.exactOptional(),
  hold: z.object({ source: z.enum(holdSources), id: text }).exactOptional(),
  former: z.object(whose satisfies Fields<{ who: string; sender?: Sender; why?: string }>).exactOptional(),
  replaces: replaced.exactOptional(),
  edge: text.exactOptional(),
  until: z.number().exactOptional(),
  destinations: z.array(text),
  shown: z.array(shownRow),
  complete: z.boolean(),
  leftOut: z.record(text, z.number()).exactOptional(),
} satisfies Fields<FiledChange>)
