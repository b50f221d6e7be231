import type { Superseded } from '../control/change.ts'
import type { Waiting, WaitingDrain } from '../control/clearance.ts'
import type { CommandInShort } from '../control/command-in-short.ts'
import type { ChosenHold, Drain, HoldDrain } from '../control/drain.ts'
import type { EdgeRelease } from '../control/edge-release.ts'
import type { EdgeRecord } from '../control/entry-record.ts'
import type { Freeze } from '../control/freeze.ts'
import type { Hold, HoldName, ReplacedHold, RequestIntent, SeenRequest, Subject } from '../control/hold.ts'
import type { Inventory } from '../control/instance-life.ts'
import type {
  EdgeHead,
  Listing,
  MachinesReading,
  Reading,
  StoredHead,
  UnreadRow,
} from '../control/reading.ts'
import type { Changes, ChangesPage } from './changes.ts'
import type { KeptEvent } from './events.ts'

/**
 * Holds, drain records, what is on record of edges and was read of them. Each write is conditional;
 * `conflict` means that somebody wrote first and nothing was changed. What places, lifts or retires a hold,
 * drops what waits for something later, freezes or releases also opens a change, in the same transaction.
 */
export interface Store extends Changes {
  /** Holds that are not lifted, retired marks among them. */
  holds(): Promise<readonly Hold[]>
  /** One hold, lifted or not. */
  hold(source: Hold['source'], id: string, subject: Subject): Promise<Hold | undefined>
  /**
   * Writes a hold, placed or lifted, unless one with a later `order` is there (`stale`). Equal order writes
   * again, but a tombstone with an order as late as the message's wins. `stale`, too, where a later request
   * about it was seen, whoever is its subject by then.
   * @param over what was read and is filled in: nothing is written where another run has filled in more since
   * (`stale`)
   */
  putHold(hold: Hold, over?: Hold): Promise<'written' | 'stale'>
  /**
   * In one transaction: the lifecycle hold, lifted, and the retired mark of the same subject. Throws
   * `StoreConflict`, and changes nothing, when either was written with a later `order`.
   */
  retire(lifted: Hold, mark: Hold): Promise<void>
  /**
   * What was lifted for the message with this order, and what waited and was dropped (not `lifted`), kept 14
   * days: it may come again.
   */
  endedFor(order: string): Promise<readonly Hold[]>

  /** Drains by choice that were asked for and have not begun. */
  waiting(): Promise<Waiting>
  /**
   * What waits about one hold: of a storm each request asks for its own.
   * @throws UnexpectedAnswer where it can't be read
   */
  waitingFor(of: HoldName): Promise<WaitingDrain | undefined>
  /**
   * Unless one about the same hold with a later `order` waits, its hold was placed or lifted with an `order`
   * as late, or a later request about it was seen (`stale`).
   * @param over what waits of an older request and is replaced, with what is kept of that in the same
   * transaction: `stale`, too, where another one waits by now, or none
   * @throws UnexpectedAnswer where what waits about the same hold can't be read: nobody may guess its order
   */
  putWaiting(waiting: WaitingDrain, over?: Replaced): Promise<'written' | 'stale'>
  /** Marks it as `overduePublished`, where this very request waits still. */
  markOverdue(waiting: WaitingDrain): Promise<void>
  /** Whether `putWaiting` of this hold would be `stale`, whatever older one it replaces. */
  isStale(hold: ChosenHold): Promise<boolean>
  /**
   * @param event is kept in the same transaction
   * @returns whether it waited still: nobody else has begun or dropped it
   */
  dropWaiting(waiting: WaitingDrain, superseded: Superseded, event: KeptEvent): Promise<boolean>
  /**
   * In one transaction: its hold is placed, as `putHold` does, and it waits no more. Condition: the lease of
   * this name has this generation still (`lost`), and it waits still (`stale`).
   * @param began what its hold and its change have besides
   */
  placeWaiting(
    waiting: WaitingDrain,
    lease: { readonly name: string; readonly generation: number },
    began?: Began,
  ): Promise<'written' | 'stale' | 'lost'>
  /** The last freeze, whether it has ended or not. */
  freeze(): Promise<Freeze | undefined>
  /** Unless one with a later `order` is there (`stale`). */
  putFreeze(freeze: Freeze): Promise<'written' | 'stale'>

  drain(id: string): Promise<Drain | undefined>
  /** Condition: no row with this id (version 1) or a row with `version - 1`. */
  putDrain(drain: Drain): Promise<'written' | 'conflict'>
  /**
   * As `putDrain`, of an operator's or alarm's drain that begins. Condition besides: its hold is in force, in
   * the order that the drain names. However late the write arrives, no drain begins whose hold was lifted.
   */
  beginDrain(drain: HoldDrain): Promise<'written' | 'conflict'>

  /**
   * Raised after each change of what is wanted of the edges: whoever reads `wanted` and then the holds knows
   * every change up to it.
   * @returns its new value
   */
  raiseWanted(): Promise<number>
  wanted(): Promise<number>

  /**
   * The lease of an edge's one writer, until `until` (epoch ms); a name that begins with a slash, which no
   * edge's id does, is that of something else that one run at a time does. @returns its generation, higher
   * than any before; undefined while somebody else has it
   */
  takeEdge(edge: string, owner: string, now: number, until: number): Promise<number | undefined>
  /** Has it until later (epoch ms). Condition: the lease has this generation still (`lost`). */
  extendEdge(edge: string, generation: number, until: number): Promise<'written' | 'lost'>
  /**
   * After the edge refused our generation: a higher one under the same lease.
   * @returns undefined when the lease is lost
   */
  raiseGeneration(edge: string, generation: number, above: number): Promise<number | undefined>
  /** @param until others wait for that long still, and a little more (epoch ms); 0: not at all */
  giveUpEdge(edge: string, generation: number, until: number): Promise<void>
  /**
   * What is on record of an edge; undefined: nothing was ever written.
   * @throws UnexpectedAnswer: nobody may guess it
   */
  edgeRecords(edge: string): Promise<readonly EdgeRecord[] | undefined>
  /** Writes all that is on record of an edge. Condition: the lease has this generation still (`lost`). */
  putEdgeRecords(
    edge: string,
    generation: number,
    records: readonly EdgeRecord[],
  ): Promise<'written' | 'lost'>
  /** What is known of every edge that was ever read, in short. */
  edgeHeads(): Promise<readonly StoredHead[]>
  /** Of an edge that nobody has taken yet; nothing is changed where somebody has. */
  addEdgeHead(head: EdgeHead): Promise<void>
  /** What the last settle that could read an edge found there; the next one replaces what can't be read. */
  reading(edge: string): Promise<Reading | UnreadRow | undefined>
  listing(edge: string): Promise<Listing | UnreadRow | undefined>
  /** All in one transaction. Condition: the lease has this generation still (`lost`). */
  putReading(
    generation: number,
    found: { readonly head: EdgeHead; readonly reading?: Reading; readonly listing?: Listing },
  ): Promise<'written' | 'lost'>
  inventory(): Promise<Inventory | undefined>
  /** When the inventory was asked for, without reading it (epoch ms). */
  inventoryAskedAt(): Promise<number | undefined>
  /** One that was asked before the latest one does not replace it. */
  putInventory(inventory: Inventory): Promise<void>
  machines(): Promise<MachinesReading | UnreadRow | undefined>
  /** One that was asked before the latest one does not replace it. */
  putMachines(reading: MachinesReading): Promise<void>

  /**
   * Remembers the newest request about an alarm's or operator's hold, also where there is none.
   * @returns what a newer one wants, or `newest`
   */
  seeRequest(of: HoldName, order: string, intent: RequestIntent): Promise<'newest' | RequestIntent>
  /** The newest one that was seen, for as long as it is remembered. */
  seenRequest(of: HoldName): Promise<SeenRequest | undefined>

  /**
   * Commands that were answered on a UTC day, the newest first; `next` is where the next page begins. One
   * that was answered twice is there twice.
   */
  commands(
    day: string,
    page: ChangesPage,
  ): Promise<{
    readonly commands: readonly CommandInShort[]
    readonly unread: readonly string[]
    readonly next?: string
  }>
  /** A command's outcome, kept 14 days: a command that comes twice is answered, not done again. */
  commandOutcome(commandId: string): Promise<CommandOutcomeRow | undefined>
  /** @param asks all that it asked for, kept as long: no other command is answered with its outcome */
  putCommandOutcome(commandId: string, outcome: CommandOutcomeRow, asks: string): Promise<void>
  /** What a command asked for that has an outcome. A release before 0.2 kept none. */
  commandAsked(commandId: string): Promise<string | undefined>
  /**
   * Keeps why a command was refused as its outcome, unless a good one is there already, or a refusal of what
   * was sent later under the same id.
   */
  putRefusal(commandId: string, refusal: Refusal): Promise<void>
  /** What a dry run was of, kept as long as its outcome. */
  commandPlan(commandId: string): Promise<CommandPlan | undefined>
  /** Once: one that is there already stays, with who has used it. */
  putCommandPlan(commandId: string, plan: CommandPlan): Promise<void>
  /** @returns false where it is not there, or was used by another message */
  useCommandPlan(commandId: string, by: PlanUse): Promise<boolean>

  keepEvent(kept: KeptEvent): Promise<void>
  /** The oldest first, at most so many. `unread` names rows that can't be read, with why. */
  keptEvents(
    most: number,
  ): Promise<{ readonly events: readonly KeptEvent[]; readonly unread: readonly string[] }>
  dropKeptEvent(kept: KeptEvent): Promise<void>

  /** Releases in force. */
  releases(): Promise<readonly EdgeRelease[]>
  /**
   * Writes a release, in force or ended, unless one of that edge with a later `order` is there (`stale`).
   * Equal order writes again.
   */
  putRelease(release: EdgeRelease): Promise<'written' | 'stale'>

  /**
   * Outcomes that name edges which were not settled yet: their end is published. `unread` names rows that
   * can't be read, with why.
   */
  pendingOutcomes(): Promise<{
    readonly outcomes: readonly PendingOutcome[]
    readonly unread: readonly string[]
  }>
  putPendingOutcome(pending: PendingOutcome): Promise<void>
  dropPendingOutcome(id: string): Promise<void>
}

/** What is known of a drain only when its hold is placed. */
export interface Began {
  /** epoch ms, of one that had to wait: its change is filed under that */
  readonly at?: number
  readonly replaces?: ReplacedHold
}

/** What waited for clearance until a newer request about the same hold came. */
export interface Replaced {
  readonly waiting: WaitingDrain
  readonly superseded: Superseded
  readonly event: KeptEvent
}

/** A command whose change was not read back on these edges when its outcome was kept. */
export interface PendingOutcome {
  readonly id: string
  /** the command's id */
  readonly command: string
  /** a value of the counter: a reading that knows it ends this */
  readonly since: number
  readonly hold: Hold
  readonly edges: readonly string[]
  readonly at: number
}

/** A dry run, as the command that it was of may name it. */
export interface CommandPlan {
  /** what was asked, as text that the same command has too */
  readonly of: string
  /** SQS's id of who sent it */
  readonly sender: string
  /** epoch ms */
  readonly at: number
  readonly usedBy?: PlanUse
}

/** One message, however often it comes. */
export interface PlanUse {
  readonly command: string
  readonly order: string
}

export type CommandOutcomeRow = Readonly<Record<string, unknown>>

/** The outcome of a command that can never be done: why, and when it was sent. */
export interface Refusal extends CommandOutcomeRow {
  readonly refused: string
  readonly order: string
}
