import type { DestinationUri, Flags, ListedDestination } from './destination.ts'

/**
 * What one edge showed of an entry before we disabled it. It is put before the entry is written, speaks only
 * for an entry that shows `D`, and goes when the entry has been given back or has left a readable list. No
 * record, no restore.
 */
export interface EntryRecord {
  readonly kind: 'entry'
  readonly set: number
  /** verbatim as listed */
  readonly uri: DestinationUri
  readonly duid?: string
  /** what is given back, verbatim; `D…`: somebody else had disabled it, or its list has it so */
  readonly flags: Flags
  /** under which the entry was last read, see {@link identityOf}; {@link noLife}: it shows no `D` of ours */
  readonly identity: string
  /**
   * The generation under which a `D` of ours was sent that no reading has settled since. Absent: the entry
   * was read back under `identity` after our last `D`, which an edge may have refused, and none can still
   * arrive. Giving back makes no `D`:
   * it leaves this as it is.
   */
  readonly sent?: number
  /**
   * epoch ms: when it was last found open while it was held: calls that were sent to it until then may come
   * yet
   */
  readonly openAt?: number
  /**
   * epoch ms: answered at that time, a first reading showed state and guard as wanted, and so did all since
   */
  readonly calmSince?: number
}

/** That we may have set the drain guard for a URI, listed or not. Nobody would look at a guard without it. */
export interface GuardRecord {
  readonly kind: 'guard'
  /** the table's key: verbatim as listed */
  readonly uri: DestinationUri
  /** as in {@link EntryRecord} */
  readonly calmSince?: number
}

/** What is on record of one edge. */
export type EdgeRecord = EntryRecord | GuardRecord

/** Names a record within its edge: an entry is told by set, URI and duid. */
export function recordKey(record: EdgeRecord): string {
  return record.kind === 'guard' ? `guard ${record.uri}` : entryKey(record)
}

/** The key of the record that an entry has, if it has one. */
export function entryKey({ set, uri, duid = '' }: Pick<ListedDestination, 'set' | 'uri' | 'duid'>): string {
  return `entry ${set} ${uri} ${duid}`
}

/** Of an entry that was found open with no `D` of ours to come: a `D` later is somebody else's. */
export const noLife = ''

/**
 * One life of one entry in the edge's memory: it ends with the edge's boot and, on 6.1, with each reload.
 * Before 6.1 there is no IUID, so a reload does not show.
 * @param boot the boot id of our rpc.cfg, otherwise `up_since`, verbatim
 */
export function identityOf(boot: string, { iuid = '' }: Pick<ListedDestination, 'iuid'>): string {
  return `${boot} ${iuid}`
}
