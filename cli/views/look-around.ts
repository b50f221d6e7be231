import { inParallel } from '../../functions/aws/in-parallel.ts'
import type { Deployment } from '../../functions/contracts/deployment.ts'
import { type ClearanceRules, inOrder, type WaitingDrain } from '../../functions/control/clearance.ts'
import type { Drain } from '../../functions/control/drain.ts'
import type { EdgeRecord } from '../../functions/control/entry-record.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import type { Freeze } from '../../functions/control/freeze.ts'
import { type Hold, holdKey } from '../../functions/control/hold.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import {
  type Listing,
  type Reading,
  type Readings,
  readable,
  readingsAt,
  type StoredHead,
} from '../../functions/control/reading.ts'
import type { Deployed, Shelf } from '../desk/desk.ts'

/** One edge, as the store has it. */
export interface EdgeShelf {
  readonly head: StoredHead
  readonly reading?: Reading
  readonly listing?: Listing
}

/** All that is stored of a fleet and that people ask for, read once. */
export interface Stored {
  readonly stack: string
  /** as in {@link Deployed} */
  readonly kdc: string
  readonly timers: Deployment['timers']
  /** epoch ms: when it was read */
  readonly at: number
  readonly edges: readonly EdgeShelf[]
  readonly readings: Readings
  readonly holds: readonly Hold[]
  /** the drains of holds in force */
  readonly drains: readonly Drain[]
  readonly waiting: readonly WaitingDrain[]
  /** rows that can't be read, and why */
  readonly unread: readonly string[]
  /** until the control plane has ended it: the sweep does, within a minute, whatever the clock here shows */
  readonly freeze?: Freeze
  readonly instances: readonly InstanceFacts[]
  /** edges that somebody released */
  readonly released: readonly string[]
}

/**
 * @param only the hold whose drain is asked for: lists and other drains are not read
 * @throws UnexpectedAnswer where nothing can be known: of the holds, or of the one drain that is asked for
 */
export async function lookAround(
  { shelf, deployment, kdc }: Deployed,
  now: number,
  only?: string,
): Promise<Stored> {
  const [heads, { waiting, holds }, freeze, machines, inventory, releases] = await Promise.all([
    shelf.edgeHeads(),
    requestedIn(shelf),
    shelf.freeze(),
    shelf.machines(),
    shelf.inventory(),
    rowsOf(() => shelf.releases()),
  ])
  const found = await inParallel(heads, (head) => readEdge(shelf, head, only === undefined))
  const drained = holds.filter(
    (hold) => hold.source !== 'retired' && (only === undefined || holdKey(hold) === only),
  )
  const drains = await inParallel(drained, async (hold) => {
    const found = async () => [await shelf.drain(holdKey(hold))].filter((drain) => drain !== undefined)
    return only === undefined ? rowsOf(found) : { rows: await found(), unread: [] }
  })
  const { timers, stack } = deployment
  return {
    ...{ stack, kdc, timers, at: now, holds },
    edges: found.map(({ head, reading, listing }) => {
      const [read, list] = [readable(reading), readable(listing)]
      return { head, ...(read && { reading: read }), ...(list && { listing: list }) }
    }),
    readings: readingsAt(now, found, readable(machines), timers.longestCallSeconds),
    drains: drains.flatMap(({ rows }) => rows),
    waiting: inOrder(waiting.drains),
    unread: [...waiting.unread, ...releases.unread, ...drains.flatMap(({ unread }) => unread)],
    ...(freeze && !freeze.ended && { freeze }),
    instances: inventory?.instances ?? [],
    released: releases.rows.map(({ edge }) => edge),
  }
}

/** @returns undefined where it can't be read: a look beforehand is no reason to send nothing */
export async function unlessUnread<T>(read: () => Promise<T>): Promise<{ readonly found: T } | undefined> {
  try {
    return { found: await read() }
  } catch {
    return undefined
  }
}

/** What waits becomes a hold in one write: read the other way round, it might be in neither. */
export async function requestedIn(shelf: Shelf) {
  const waiting = await shelf.waiting()
  return { waiting, holds: await shelf.holds() }
}

interface Rows<T> {
  readonly rows: readonly T[]
  readonly unread: readonly string[]
}

/** What can't be read is named, and keeps nothing else from being shown. */
async function rowsOf<T>(read: () => Promise<readonly T[]>): Promise<Rows<T>> {
  try {
    return { rows: await read(), unread: [] }
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return { rows: [], unread: [error.message] }
    throw error
  }
}

async function readEdge(shelf: Shelf, head: StoredHead, isListed: boolean) {
  const [reading, listing] = await Promise.all([
    shelf.reading(head.edge),
    isListed ? shelf.listing(head.edge) : undefined,
  ])
  return { head, reading, listing }
}

/** What is on record of each edge; undefined of one whose records can't be read. */
export type Records = ReadonlyMap<string, readonly EdgeRecord[] | undefined>

export async function edgeRecords({ shelf }: Deployed, { edges }: Stored): Promise<Records> {
  const found = await inParallel(
    edges,
    async ({ head }) => [head.edge, await recordsOf(shelf, head.edge)] as const,
  )
  return new Map(found)
}

/**
 * What has drains wait, as it is deployed. Nothing where none waits, or where the settings can't be read: the
 * deployment may be older, or whoever asks may not.
 */
export async function clearanceRules(
  deployed: Deployed,
  { waiting }: Pick<Stored, 'waiting'>,
): Promise<ClearanceRules | undefined> {
  if (waiting.length === 0) return undefined
  const read = await unlessUnread(async () => (await deployed.surroundings()).settings())
  if (!read) return undefined
  const { clearance, maxHoldsPerSender: mostHolds } = read.found.control
  return { floors: clearance.floors, atOnce: clearance.atOnce, mostHolds }
}

async function recordsOf(shelf: Shelf, edge: string): Promise<readonly EdgeRecord[] | undefined> {
  try {
    return (await shelf.edgeRecords(edge)) ?? []
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return undefined
    throw error
  }
}
