import * as z from 'zod'
import type { CallsAt, Counts, EdgeCount } from '../control/drain.ts'
import type { Fields } from './rows.ts'

/** How a drain's calls came to be what they are, in its row. */
export const countsRow: z.ZodType<Counts> = z.object({
  edges: z.record(
    z.string(),
    z.object({
      calls: z.number(),
      most: z.number(),
      since: z.number(),
      begun: z.number().exactOptional(),
    } satisfies Fields<EdgeCount>),
  ),
  totals: z.array(z.object({ at: z.number(), calls: z.number() } satisfies Fields<CallsAt>)).readonly(),
  begunAt: z.number().exactOptional(),
} satisfies Fields<Counts>)
