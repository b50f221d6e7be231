import * as z from 'zod'
import type { ListedDestination } from '../control/destination.ts'
import type { EdgeDescription } from '../control/edge-facts.ts'
import type { InstanceFacts, Inventory } from '../control/instance-life.ts'
import type { KnownOpaque, LastListed } from '../control/list-memory.ts'
import type {
  CallCount,
  Counted,
  EdgeHead,
  EndedCalls,
  HoldReading,
  Listing,
  MachinesReading,
  Reading,
  Unknown,
} from '../control/reading.ts'
import type { SettledEntry } from '../control/settled.ts'
import { type Each, type EntryRow, type Fields, flags, fromEntryRow, toEntryRow, uri } from './rows.ts'

export const edgeHeadRow: z.ZodType<EdgeHead> = z.object({
  edge: z.string(),
  wanted: z.number(),
  askedAt: z.number(),
  bootId: z.string().exactOptional(),
  unreadable: z
    .object({ since: z.number(), at: z.number(), reason: z.string(), passes: z.boolean() } satisfies Fields<
      NonNullable<EdgeHead['unreadable']>
    >)
    .exactOptional(),
  removedAt: z.number().exactOptional(),
} satisfies Fields<EdgeHead>)

const settledEntry: z.ZodType<SettledEntry> = z
  .object({
    group: z.number(),
    uri,
    duid: z.string().exactOptional(),
    iuid: z.string().exactOptional(),
    address: z.string().exactOptional(),
    before: flags.exactOptional(),
    after: flags,
    refused: z.string().exactOptional(),
    since: z.number().exactOptional(),
    was: flags.exactOptional(),
  } satisfies Fields<EntryRow<SettledEntry>>)
  .transform(fromEntryRow)

const listed: z.ZodType<ListedDestination> = z
  .object({
    group: z.number(),
    uri,
    flags,
    duid: z.string().exactOptional(),
    iuid: z.string().exactOptional(),
    address: z.string().exactOptional(),
  } satisfies Fields<EntryRow<ListedDestination>>)
  .transform(fromEntryRow)

const unknown: z.ZodType<Unknown> = z.object({ unknown: z.string() } satisfies Fields<Unknown>)
const callCount: z.ZodType<CallCount> = z.object({
  calls: z.number(),
  source: z.enum({ profile: 'profile', load: 'load', edge: 'edge' } satisfies Each<CallCount['source']>),
  outbound: z.boolean(),
  begun: z.number().exactOptional(),
  reaped: z.number().exactOptional(),
} satisfies Fields<CallCount>)
const holdReading: z.ZodType<HoldReading> = z.object({
  flags: z.enum({ disabled: 'disabled', open: 'open', unlisted: 'unlisted' } satisfies Each<
    HoldReading['flags']
  >),
  unreadable: z.string().exactOptional(),
  unresolved: z.string().exactOptional(),
  others: z.array(uri).exactOptional(),
  openAt: z.number().exactOptional(),
  counted: z.object({
    count: z.union([callCount, unknown]),
    at: z.number(),
    readBy: z.number(),
  } satisfies Fields<Counted>),
} satisfies Fields<HoldReading>)

const description: z.ZodType<EdgeDescription> = z.object({
  edge: z.string(),
  restoresDialogs: z.boolean(),
  version: z.string(),
  bootTime: z.string(),
  uptimeSeconds: z.number(),
  bootId: z.string().exactOptional(),
  batch: z.boolean(),
  fence: z.boolean(),
  guard: z.boolean(),
  profiles: z.array(z.enum(['dst', 'src'])),
  counters: z.boolean(),
  dialogs: z.number().exactOptional(),
  callsTo: z.number().exactOptional(),
  callsFrom: z.number().exactOptional(),
  begun: z.number().exactOptional(),
  begunTo: z.number().exactOptional(),
  longestCallSeconds: z.number().exactOptional(),
  endsCalls: z.boolean().exactOptional(),
  keepalives: z.boolean().exactOptional(),
  clockDifferenceSeconds: z.number().exactOptional(),
  configurationError: z.string().exactOptional(),
  list: z.object({
    destinations: z.number(),
    opaque: z.number(),
    opaqueSamples: z.array(z.string()),
    iuid: z.boolean(),
  } satisfies Fields<EdgeDescription['list']>),
  counts: z.enum({ counting: 'counting', never: 'never', unproved: 'unproved' } satisfies Each<
    EdgeDescription['counts']
  >),
} satisfies Fields<EdgeDescription>)

/** JSON has no undefined: calls that are not known are absent in the row. */
const load: z.ZodType<Reading['load']> = z
  .object({ calls: z.number().optional() } satisfies Fields<Reading['load']>)
  .transform(({ calls }) => ({ calls }))

export const readingRow: z.ZodType<Reading> = z.object({
  edge: z.string(),
  wanted: z.number(),
  askedAt: z.number(),
  answeredAt: z.number(),
  boot: z.string(),
  entries: z.array(settledEntry),
  guarded: z.array(uri).exactOptional(),
  problem: z.string().exactOptional(),
  uptimeSeconds: z.number(),
  replacedAt: z.number().exactOptional(),
  restoresDialogs: z.boolean(),
  description,
  load,
  holds: z.record(z.string(), holdReading),
  atStake: z.record(z.string(), z.union([callCount, unknown])).exactOptional(),
  ended: z
    .record(
      z.string(),
      z.object({
        step: z.number(),
        at: z.number(),
        ended: z.number(),
        total: z.number(),
        failed: z.string().exactOptional(),
      } satisfies Fields<EndedCalls>),
    )
    .exactOptional(),
} satisfies Fields<Reading>)

export function toReadingRow(reading: Reading) {
  return { ...reading, entries: reading.entries.map(toEntryRow) }
}

export const listingRow: z.ZodType<Listing> = z.object({
  edge: z.string(),
  since: z.number(),
  listed: z.array(listed),
  former: z.array(
    z.object({
      uri,
      at: z.number(),
      address: z.string().exactOptional(),
      duid: z.string().exactOptional(),
    } satisfies Fields<LastListed>),
  ),
  opaque: z
    .array(
      z.object({
        text: z.string(),
        address: z.string().exactOptional(),
        duid: z.string().exactOptional(),
        set: z.number().exactOptional(),
        at: z.number().exactOptional(),
      } satisfies Fields<KnownOpaque>),
    )
    .exactOptional(),
  lostAt: z.number().exactOptional(),
  loadedAt: z.number().exactOptional(),
} satisfies Fields<Listing>)

export function toListingRow(listing: Listing) {
  return { ...listing, listed: listing.listed.map(toEntryRow) }
}

export const inventoryRow: z.ZodType<Inventory> = z.object({
  askedAt: z.number(),
  instances: z.array(
    z.object({
      instanceId: z.string(),
      launchedAt: z.number(),
      state: z.enum({
        pending: 'pending',
        running: 'running',
        'shutting-down': 'shutting-down',
        terminated: 'terminated',
        stopping: 'stopping',
        stopped: 'stopped',
      } satisfies Each<InstanceFacts['state']>),
      addresses: z.array(z.string()),
      taggedDestinations: z.array(z.string()),
      group: z.string().exactOptional(),
      zone: z.string().exactOptional(),
    } satisfies Fields<InstanceFacts>),
  ),
} satisfies Fields<Inventory>)

export const machinesRow: z.ZodType<MachinesReading> = z.object({
  askedAt: z.number(),
  answeredAt: z.number(),
  gone: z.array(z.string()),
  calls: z.record(z.string(), z.union([z.number(), unknown])),
} satisfies Fields<MachinesReading>)
