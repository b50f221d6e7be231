import type { ControlConfig } from '../contracts/config.ts'
import type { EventType, MetricName } from '../contracts/names.ts'
import type { SettleRequest } from '../contracts/settle-request.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DestinationUri } from '../control/destination.ts'
import type { Drain, LifecycleActionRef } from '../control/drain.ts'
import type { EdgeFacts } from '../control/edge-facts.ts'
import type { EdgeList } from '../control/edge-list.ts'
import type { EdgeRelease } from '../control/edge-release.ts'
import type { EdgeRecord } from '../control/entry-record.ts'
import type { EdgeError } from '../control/errors.ts'
import type { Hold, HoldName, RequestSays, Subject } from '../control/hold.ts'
import type { InstanceFacts, Inventory } from '../control/instance-life.ts'
import type {
  CallCount,
  EdgeHead,
  Listing,
  MachinesReading,
  Reading,
  StoredHead,
  UnreadRow,
} from '../control/reading.ts'
import type { EdgeWrite } from '../control/settle-plan.ts'

/**
 * ONE Kamailio. Every method has a timeout. A write that returns proves nothing: read back. Fan-out, every group and read-back live
 * above this port. What is asked or written for many goes together, in few requests where the edge takes batches.
 */
export interface Edge {
  readonly id: string
  readonly restoresDialogs: boolean
  /**
   * The same edge, asked under a lease of this generation: an edge with our rpc.cfg refuses all that comes with a lower one than it has
   * seen since its boot, and then every write that comes with none (fault `stale`, `StaleGeneration`).
   */
  under(generation: number): Edge
  /** What it is and can do. @throws EdgeError */
  facts(): Promise<EdgeFacts>
  /** `bootTime` is `up_since`, verbatim. @throws EdgeError */
  boot(): Promise<{ readonly bootTime: string; readonly uptimeSeconds: number }>
  /** The boot ids that answers under this lease have named: one, unless it restarted or its way leads elsewhere; none without our rpc.cfg. */
  answeredBy(): readonly string[]
  /** Every entry. @throws EdgeError; fault `empty-list` when there is none at all */
  list(): Promise<EdgeList>
  /**
   * Writes in this order. Once the way to the edge fails, what is left is not sent.
   * @returns what came of each: `no-guard` where the edge has no drain guard, or what it was refused with
   */
  write(writes: readonly EdgeWrite[]): Promise<readonly ('done' | 'no-guard' | EdgeError)[]>
  /** @returns for each URI whether the guard holds it, `no-guard`, or why that is not known */
  readGuards(uris: readonly DestinationUri[]): Promise<readonly (boolean | 'no-guard' | EdgeError)[]>
  /** @throws EdgeError; fault `busy` within `reload_delta` or while one is running */
  reload(): Promise<void>
  /** @returns for each subject the calls to any of its URIs and from any of its addresses, or why no source can say */
  count(subjects: readonly CallsOf[]): Promise<readonly (CallCount | EdgeError)[]>
  /** The same, and when it booted, asked after all of it. @throws EdgeError where the boot can't be read */
  countAndBoot(
    subjects: readonly CallsOf[],
  ): Promise<{ readonly counts: readonly (CallCount | EdgeError)[]; readonly bootTime: string }>
  /**
   * Ends up to `most` of the calls that `count` counts by its profiles, with a BYE to both ends each; one that still rings is left
   * alone. Counting again shows it.
   * @returns how many it ended. Throws fault `unsupported` where the edge keeps no profile or its own policy refuses; `refused` when
   * none of those that are left can be ended, which the message explains.
   */
  endCalls(of: CallsOf, most: number): Promise<number>
}

/** The calls to any of the URIs and from any of the addresses. */
export interface CallsOf {
  readonly uris: readonly DestinationUri[]
  readonly addresses: readonly string[]
}

/** The edges of the fleet as configured now; cached with an age by the adapter. */
export interface Fleet {
  edges(): Promise<readonly Edge[]>
  /** Reads the list now. @returns why it is refused, where it is; the last good list is kept then. */
  reread(): Promise<Error | undefined>
}

/** The one function that reaches edges. */
export interface Settles {
  /** Asks it for something, and does not wait for it. */
  ask(request: SettleRequest): Promise<void>
}

/** What EC2 shows now, in as few requests as it takes. Who wants to know of an instance asks the inventory, which asks this. */
export interface Instances {
  inGroups(groups: readonly string[]): Promise<readonly InstanceFacts[]>
  /** Those that EC2 knows: not one that was launched seconds ago, terminated about an hour ago, or never there. */
  byIds(instanceIds: readonly string[]): Promise<readonly InstanceFacts[]>
  /** The running or pending instances with this address: two VPCs may use the same. */
  byAddress(host: string): Promise<readonly InstanceFacts[]>
}

/** Auto Scaling's lifecycle actions. `over` means that no such action is active: completed, expired or never there. */
export interface LifecycleActions {
  heartbeat(target: LifecycleActionRef): Promise<'recorded' | 'over'>
  complete(target: LifecycleActionRef, result: 'CONTINUE' | 'ABANDON'): Promise<'completed' | 'over'>
  /** Ends an instance that Auto Scaling retains. `over`: it is gone already. */
  terminate(instanceId: string): Promise<'completed' | 'over'>
}

/** A media server's own count of its active calls, edges aside. */
export interface MediaServers {
  /** @returns undefined when no count is configured for the group; throws when it can't be read. */
  activeCalls(server: { group?: string; addresses: readonly string[] }): Promise<number | undefined>
}

export interface Workflows {
  /**
   * Starts the execution `drainId` + `attempt`, once: one of that name that runs or succeeded is success. Throws
   * `ExecutionEnded` when it failed, timed out or was aborted: only a new attempt can start again.
   */
  start(input: WorkflowPayload): Promise<void>
}

/**
 * Holds, drain records, what is on record of edges and was read of them. Each write is conditional; `conflict` means that somebody wrote first and
 * nothing was changed.
 */
export interface Store {
  /** Holds that are not lifted, retired marks among them. */
  holds(): Promise<readonly Hold[]>
  /** One hold, lifted or not. */
  hold(source: Hold['source'], id: string, subject: Subject): Promise<Hold | undefined>
  /**
   * Writes a hold, placed or lifted, unless one with a later `order` is there (`stale`). Equal order writes again, but a tombstone with an order
   * as late as the message's wins. `stale`, too, where a later request about it was seen, whoever is its subject by then.
   * @param over what was read and is filled in: nothing is written where another run has filled in more since (`stale`)
   */
  putHold(hold: Hold, over?: Hold): Promise<'written' | 'stale'>
  /**
   * In one transaction: the lifecycle hold becomes a tombstone (lifted now with nothing to restore, unless it says
   * otherwise) and the retired mark of the same subject is written. Throws `StoreConflict`, and changes nothing, when
   * either was written with a later `order`.
   */
  retire(hold: Hold, mark: Hold): Promise<void>

  drain(id: string): Promise<Drain | undefined>
  /** Condition: no row with this id (version 1) or a row with `version - 1`. */
  putDrain(drain: Drain): Promise<'written' | 'conflict'>

  /**
   * Raised after each change of what is wanted of the edges: whoever reads `wanted` and then the holds knows every change up to it.
   * @returns its new value
   */
  raiseWanted(): Promise<number>
  wanted(): Promise<number>

  /**
   * The lease of an edge's one writer, until `until` (epoch ms); a name that begins with a slash, which no edge's id does, is that of something
   * else that one run at a time does. @returns its generation, higher than any before; undefined while somebody
   * else has it
   */
  takeEdge(edge: string, owner: string, now: number, until: number): Promise<number | undefined>
  /** Has it until later (epoch ms). Condition: the lease has this generation still (`lost`). */
  extendEdge(edge: string, generation: number, until: number): Promise<'written' | 'lost'>
  /** After the edge refused our generation: a higher one under the same lease. @returns undefined when the lease is lost */
  raiseGeneration(edge: string, generation: number, above: number): Promise<number | undefined>
  /** @param until others wait for that long still, and a little more (epoch ms); 0: not at all */
  giveUpEdge(edge: string, generation: number, until: number): Promise<void>
  /** What is on record of an edge; undefined: nothing was ever written. @throws UnexpectedAnswer: nobody may guess it */
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

  /** Remembers the newest request about an alarm's or operator's hold, also where there is none. @returns what a newer one said, or `newest` */
  seeRequest(of: HoldName, order: string, says: RequestSays): Promise<'newest' | RequestSays>

  /** A command's outcome, kept 14 days: a command that comes twice is answered, not done again. */
  commandOutcome(commandId: string): Promise<CommandOutcomeRow | undefined>
  putCommandOutcome(commandId: string, outcome: CommandOutcomeRow): Promise<void>

  keepEvent(kept: KeptEvent): Promise<void>
  /** The oldest first, at most so many. */
  keptEvents(most: number): Promise<readonly KeptEvent[]>
  dropKeptEvent(kept: KeptEvent): Promise<void>

  /** Releases in force. */
  releases(): Promise<readonly EdgeRelease[]>
  /** Writes a release, in force or ended, unless one of that edge with a later `order` is there (`stale`). Equal order writes again. */
  putRelease(release: EdgeRelease): Promise<'written' | 'stale'>

  /** Answers that named edges which were not settled yet: their end is published. */
  pendingAnswers(): Promise<readonly PendingAnswer[]>
  putPendingAnswer(pending: PendingAnswer): Promise<void>
  dropPendingAnswer(id: string): Promise<void>
}
/** A command whose change was not read back on these edges when it was answered. */
export interface PendingAnswer {
  readonly id: string
  /** the command's id */
  readonly command: string
  /** a value of the counter: a reading that knows it ends this */
  readonly since: number
  readonly hold: Hold
  readonly edges: readonly string[]
  readonly at: number
}
export type CommandOutcomeRow = Readonly<Record<string, unknown>>

/** What happened, for people and machines: who, why, before, after. Never holds a secret. */
export interface ControlEvent {
  readonly type: EventType
  readonly detail: Readonly<Record<string, unknown>>
}
export interface EventBus {
  publish(event: ControlEvent): Promise<void>
}
/** Nothing waits for an event: one that the bus refuses is kept, and published later. */
export interface Events extends EventBus {
  /** @returns false where the bus refuses it for now, and whoever has it tries again; one that it never takes is kept */
  offer(event: ControlEvent): Promise<boolean>
  /** Has it published later. */
  keep(event: ControlEvent): Promise<void>
  /** Publishes what was kept, the oldest first, until the bus refuses again. */
  publishKept(): Promise<void>
}
/** An event that the bus refused, with why, and when it happened (epoch ms). */
export interface KeptEvent {
  readonly id: string
  readonly at: number
  readonly event: ControlEvent
  readonly reason: string
}

export interface Metrics {
  count(name: MetricName, value: number, dimensions?: Readonly<Record<string, string>>): void
}

/** Where a message goes that can never be done, as it came and with the reason. */
export interface DeadLetters {
  reject(
    message: { readonly body: string; readonly attributes?: Readonly<Record<string, string>> },
    reason: Error,
  ): Promise<void>
}

/** Epoch milliseconds; sleep in milliseconds. */
export interface Clock {
  now(): number
  sleep(ms: number): Promise<void>
}

export interface Ids {
  next(): string
}

/** All that the use cases need from outside, but for edges. Each use case names the part it uses. */
export interface Ports {
  readonly config: ControlConfig
  readonly settles: Settles
  readonly instances: Instances
  readonly lifecycleActions: LifecycleActions
  readonly workflows: Workflows
  readonly store: Store
  readonly events: Events
  readonly deadLetters: DeadLetters
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
}

/** What the settle function has besides, and nobody else. */
export interface EdgePorts
  extends Pick<
    Ports,
    'config' | 'instances' | 'store' | 'workflows' | 'events' | 'metrics' | 'clock' | 'ids'
  > {
  readonly fleet: Fleet
  readonly mediaServers: MediaServers
}
