import * as z from 'zod'
import type { EdgeRecord, EntryRecord, GuardRecord } from '../control/entry-record.ts'
import { highestGeneration } from '../control/generation.ts'
import { type EntryRow, type Fields, flags, fromEntryRow, toEntryRow, uri } from './rows.ts'

export const wantedRow = z.object({ value: z.number() })
export const edgeLeaseRow = z.object({
  owner: z.string(),
  until: z.number(),
  generation: z
    .int()
    .min(0)
    .max(highestGeneration + 1),
})

const entryRecord: z.ZodType<EntryRecord> = z
  .object({
    kind: z.literal('entry'),
    group: z.number(),
    uri,
    duid: z.string().exactOptional(),
    flags,
    identity: z.string(),
    sent: z.number().exactOptional(),
    openAt: z.number().exactOptional(),
    calmSince: z.number().exactOptional(),
  } satisfies Fields<EntryRow<EntryRecord>>)
  .transform(fromEntryRow)
const guardRecord: z.ZodType<GuardRecord> = z.object({
  kind: z.literal('guard'),
  uri,
  calmSince: z.number().exactOptional(),
} satisfies Fields<GuardRecord>)
export const edgeRecordsRow: z.ZodType<EdgeRecord[]> = z.array(z.union([entryRecord, guardRecord]))

export function toEdgeRecordsRow(records: readonly EdgeRecord[]): (EntryRow<EntryRecord> | GuardRecord)[] {
  return records.map((record) => (record.kind === 'entry' ? toEntryRow(record) : record))
}

/** A row of a release before 0.2. */
export const formerFlagsRow = z
  .object({
    edge: z.string(),
    group: z.number(),
    uri,
    duid: z.string().exactOptional(),
    flags,
  })
  .transform(fromEntryRow)
