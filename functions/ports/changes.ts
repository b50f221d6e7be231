import type { Change, Shown } from '../control/change.ts'
import type { ChangesOf, FiledChange } from '../control/filed-change.ts'

/**
 * The record of changes. Each is written in the transaction of what it tells of, and filed once it is known
 * what edges showed of it.
 */
export interface Changes {
  /** Written where there is nothing to be in a transaction with. One that is there stays as it is. */
  putChange(change: Change): Promise<void>
  /**
   * What is not filed for good, the oldest first; in `unread` which rows can't be read, and why. Such a row
   * keeps no other one back.
   */
  openChanges(): Promise<{ readonly changes: readonly Change[]; readonly unread: readonly string[] }>
  /**
   * What edges showed of one that is open still, as far as it is known.
   * @param filedAt since when it is on file without the others, epoch ms
   */
  putShown(id: string, shown: readonly Shown[], filedAt?: number): Promise<void>
  /** Files it under all that it is found by. A complete one is not written again, and is open no more. */
  fileChange(filed: FiledChange): Promise<void>
  /** It is open no more: on file it stays as it is. */
  dropChange(id: string): Promise<void>
  /** The newest first; `next` is where the next page begins. */
  changes(
    of: ChangesOf,
    page: ChangesPage,
  ): Promise<{
    readonly changes: readonly FiledChange[]
    readonly unread: readonly string[]
    readonly next?: string
  }>
}

export interface ChangesPage {
  /** so many at most */
  readonly most: number
  /** older than this one's id */
  readonly before?: string
}
