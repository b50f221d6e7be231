import type { ControlConfig } from '../contracts/config.ts'
import type { EventType, MetricName } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DestinationUri, ListedDestination, WritableState } from '../control/destination.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import type { EdgeRelease } from '../control/edge-release.ts'
import type { FormerFlags, Hold, Subject } from '../control/hold.ts'
import type { CallCount, Round } from '../control/round.ts'

/**
 * ONE Kamailio. Every method has a timeout and throws `EdgeError`. A write that returns proves nothing: read back.
 * Fan-out, every group and read-back live above this port.
 */
export interface Edge {
  readonly id: string
  readonly restoresDialogs: boolean
  /** Every entry; an empty list is `EdgeError` with fault `empty-list`. */
  list(): Promise<readonly ListedDestination[]>
  setState(state: WritableState, group: number, uri: DestinationUri): Promise<void>
  setDuidState(state: WritableState, group: number, duid: string): Promise<void>
  /** Marks or unmarks the URI in the drain guard's table. @returns `no-guard` where the edge has none. */
  setGuard(uri: DestinationUri, held: boolean): Promise<'done' | 'no-guard'>
  /** @returns whether the guard holds the URI, or `no-guard`. */
  readGuard(uri: DestinationUri): Promise<boolean | 'no-guard'>
  /** Fault `busy` within `reload_delta` or while one is running. */
  reload(): Promise<void>
  /** `bootTime` is `up_since`, verbatim. */
  boot(): Promise<{ readonly bootTime: string; readonly uptimeSeconds: number }>
  /** What it calls itself, such as `kamailio 6.1.5 (x86_64/Linux)`. */
  version(): Promise<string>
  /** Calls to any of the URIs and from any of the addresses; throws `EdgeError` when no source can say. */
  count(of: CallsOf): Promise<CallCount>
  /** Calls to and from all media servers; undefined where it keeps no profile of one direction or the other. */
  totalCalls(): Promise<number | undefined>
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
  /** what the way to the edges takes, all of them together, before requests are refused as `throttled` */
  readonly requestsPerSecond: number
  edges(): Promise<readonly Edge[]>
  /** Reads the list now. @returns why it is refused, where it is; the last good list is kept then. */
  reread(): Promise<Error | undefined>
}

export interface InstanceFacts {
  readonly instanceId: string
  /** epoch ms */
  readonly launchedAt: number
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped'
  /** private, secondary, public and IPv6 addresses and DNS names, canonical (see `canonicalHost`) */
  readonly addresses: readonly string[]
  /** destinations that its tag names, as written there */
  readonly taggedDestinations: readonly string[]
  readonly group?: string
}

export interface Instances {
  /** @returns undefined when EC2 does not know the id (terminated about an hour ago, or never there). */
  byId(instanceId: string): Promise<InstanceFacts | undefined>
  /** Those of the ids that EC2 shows as shutting down or terminated, in as few calls as it takes. */
  gone(instanceIds: readonly string[]): Promise<readonly string[]>
  /** The running or pending instance with this address. */
  byAddress(host: string): Promise<InstanceFacts | undefined>
}

/** Auto Scaling's lifecycle actions. `over` means that no such action is active: completed, expired or never there. */
export interface LifecycleActions {
  heartbeat(target: LifecycleActionRef): Promise<'recorded' | 'over'>
  complete(target: LifecycleActionRef, result: 'CONTINUE' | 'ABANDON'): Promise<'completed' | 'over'>
  /** Ends an instance that Auto Scaling retains. `over`: it is gone already. */
  terminate(instanceId: string): Promise<'completed' | 'over'>
}
export interface LifecycleActionRef {
  readonly group: string
  readonly hook: string
  readonly token?: string
  readonly instanceId: string
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
 * Holds, drain records, former flags, rounds. Each write is conditional; `conflict` means that somebody wrote first and
 * nothing was changed.
 */
export interface Store {
  /** Holds that are not lifted, retired marks among them, and lifted ones whose edges are not restored yet. */
  holds(): Promise<readonly Hold[]>
  /** One hold, lifted or not. */
  hold(source: Hold['source'], id: string, subject: Subject): Promise<Hold | undefined>
  /** Writes a hold, placed or lifted, unless one with a later `order` is there (`stale`). Equal order writes again. */
  putHold(hold: Hold): Promise<'written' | 'stale'>
  /**
   * In one transaction: the lifecycle hold becomes a tombstone (lifted now with nothing to restore, unless it says
   * otherwise) and the retired mark of the same subject is written. Throws `StoreConflict`, and changes nothing, when
   * either was written with a later `order`.
   */
  retire(hold: Hold, mark: Hold): Promise<void>

  drain(id: string): Promise<DrainRecord | undefined>
  /** Condition: no row with this id (version 1) or a row with `version - 1`. */
  putDrain(record: DrainRecord): Promise<'written' | 'conflict'>

  formerFlags(uris: readonly DestinationUri[]): Promise<readonly FormerFlags[]>
  /** Recorded once: an existing row stays. */
  recordFormerFlags(flags: FormerFlags): Promise<void>
  dropFormerFlags(flags: FormerFlags): Promise<void>

  /** Alarms: remembers the newest state timestamp seen. @returns `stale` when a newer one was. Equal is not stale. */
  seeAlarm(key: string, order: string): Promise<'newest' | 'stale'>

  /** A command's outcome, kept 14 days: a command that comes twice is answered, not done again. */
  commandOutcome(commandId: string): Promise<CommandOutcomeRow | undefined>
  putCommandOutcome(commandId: string, outcome: CommandOutcomeRow): Promise<void>

  /** Releases in force. */
  releases(): Promise<readonly EdgeRelease[]>
  /** Writes a release, in force or ended, unless one of that edge with a later `order` is there (`stale`). Equal order writes again. */
  putRelease(release: EdgeRelease): Promise<'written' | 'stale'>

  latestRound(): Promise<Round | undefined>
  /** A round that started before the latest one does not replace it. */
  putRound(round: Round): Promise<void>
  /** A lease by name until `until` (epoch ms). @returns false while somebody else has it. */
  takeLease(name: string, owner: string, now: number, until: number): Promise<boolean>
  releaseLease(name: string, owner: string): Promise<void>
  leaseHolder(name: string, now: number): Promise<string | undefined>
}
export type CommandOutcomeRow = Readonly<Record<string, unknown>>

/** What happened, for people and machines: who, why, before, after. Never holds a secret. */
export interface ControlEvent {
  readonly type: EventType
  readonly detail: Readonly<Record<string, unknown>>
}
export interface Events {
  publish(event: ControlEvent): Promise<void>
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

/** All that the use cases need from outside. Each use case names the part it uses. */
export interface Ports {
  readonly config: ControlConfig
  readonly fleet: Fleet
  readonly instances: Instances
  readonly lifecycleActions: LifecycleActions
  readonly mediaServers: MediaServers
  readonly workflows: Workflows
  readonly store: Store
  readonly events: Events
  readonly deadLetters: DeadLetters
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
}
