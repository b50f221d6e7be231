import type { Clock } from '../../functions/ports/clock.ts'
import type { FileEntry, ProbingMode } from './dispatcher-memory.ts'

/** What a Kamailio in memory is like. */
export interface MemoryEdgeOptions {
  readonly id: string
  readonly clock: Clock
  readonly file: readonly FileEntry[]
  readonly version?: '6.1' | '6.0' | '5.6'
  readonly restoresDialogs?: boolean
  /** whether the drain guard's table is there */
  readonly guard?: boolean
  /** call profiles that the edge's script keeps */
  readonly profiles?: readonly ('dst' | 'src')[]
  /** whether its policy lets calls be ended (`DC_RPC_END_CALLS`) */
  readonly endsCalls?: boolean
  /** whether DLGLOAD is kept (`ds_hash_size` > 0 and algorithm 10) */
  readonly load?: boolean
  /**
   * whether the script tracks calls as dialogs, so that the edge's total is true; without it the total is
   * always 0
   */
  readonly dialogs?: boolean
  /** `ds_probing_mode` with every server answering pings each second; no pings when undefined */
  readonly probingMode?: ProbingMode
  /** which rpc.cfg it has; default ours of today, with batches, fence and boot id */
  readonly rpcFile?: 'ours' | 'former' | 'none'
  /** whether it counts the calls that begin; default true where it has a call profile */
  readonly counters?: boolean
  /** whether it ends counts by keepalives (`DC_KEEPALIVES`) */
  readonly keepalives?: boolean
  /** what DNS answers to it; it does not ask unless given */
  readonly names?: Readonly<Record<string, string>>
  readonly reloadDeltaSeconds?: number
  /** how long a reload takes until it replaces the states */
  readonly reloadTakesMs?: number
  readonly rpcTimeoutMs?: number
  /** epoch ms; the clock's now unless given */
  readonly bootedAt?: number
}
