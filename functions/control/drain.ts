import type { AtDeadline } from './deadline.ts'
import type { DrainEvent } from './drain-events.ts'
import { type ChosenSource, type Hold, type HoldSource, holdKey } from './hold.ts'

/** What names a lifecycle action to Auto Scaling. */
export interface LifecycleActionRef {
  readonly group: string
  readonly hook: string
  readonly token?: string
  readonly instanceId: string
}

/** The lifecycle action that a drain answers to. */
export type LifecycleTarget = TerminatingTarget & AtDeadline
interface TerminatingTarget extends LifecycleActionRef {
  /** for a release before 0.2, which refuses a row without it */
  readonly transition: 'terminating'
  readonly heartbeatSeconds: number
  /** the action was over when it was found: Auto Scaling retains the instance, whatever the policy */
  readonly isRetained?: true
}

/** What is remembered of one edge over the looks of a drain. */
export interface EdgeMemory {
  /**
   * by when it had first shown a zero that could count, the boot time it had then, and how many calls had
   * ever begun there
   */
  readonly zero?: { readonly at: number; readonly bootTime: string; readonly begun?: number }
  readonly everListed: boolean
  /** calls that the edge's keepalives had ended without a proof, and when that number was first seen */
  readonly reaped?: { readonly calls: number; readonly at: number }
}

/** What an edge had at its last count, and at most, and since when it shows that number. */
export interface EdgeCount {
  readonly calls: number
  readonly most: number
  readonly since: number
  /** how many calls had ever begun there */
  readonly begun?: number
}

export interface CallsAt {
  readonly at: number
  readonly calls: number
}

/** How the calls of a drain came to be what they are, in few numbers. Times in epoch ms. */
export interface Counts {
  readonly edges: Readonly<Record<string, EdgeCount>>
  /**
   * of all edges together, the oldest first: since it was disabled on all of them and the last call began
   */
  readonly totals: readonly CallsAt[]
  /** by when a call had begun although it was disabled */
  readonly begunAt?: number
}

/** Why an action is completed, or a drain is over. */
export type Because =
  | 'drained'
  | 'absent'
  | 'gone'
  | 'lifted'
  | 'terminated-at-deadline'
  | 'retained'
  | 'action-over'

/** What a drain remembers of its looks. Times in epoch ms. */
export interface Memory {
  readonly edges: Readonly<Record<string, EdgeMemory>>
  /** since then every edge shows all of it disabled */
  readonly confirmedAt?: number
  /** that it is past its deadline was published */
  readonly overdue?: true
  /** a digest of what its last progress event showed */
  readonly progress?: string
  readonly counts?: Counts
}

/** Somebody has to place its hold. */
export type Claimed = { readonly name: 'claimed' }
export type Draining = { readonly name: 'draining'; readonly memory: Memory }
/** An operator's or alarm's, and empty: it waits for its hold to be lifted. */
export type Held = { readonly name: 'held'; readonly verdict: 'drained' | 'absent'; readonly memory: Memory }
export type EndingCalls = {
  readonly name: 'ending-calls'
  readonly memory: Memory
  readonly since: number
  /**
   * the last step that asked for BYEs; on record before it does, so that one which comes again soon does not
   */
  readonly lastStepAt?: number
}
/** The lifecycle action is over and Auto Scaling keeps the instance: the drain alone decides when it goes. */
export type Retained = {
  readonly name: 'retained'
  readonly memory: Memory
  readonly since: number
  readonly tooLongPublished?: true
}
/** Why no call keeps an instance. */
export type NoCalls = 'drained' | 'absent' | 'gone'
type CompletingAction = {
  readonly name: 'completing'
  /** what it returns to where the completion is refused and the verdict gets old */
  readonly from: Draining | EndingCalls
} & (
  | {
      readonly completion: 'CONTINUE'
      readonly because: NoCalls | 'terminated-at-deadline' | 'action-over'
    }
  | { readonly completion: 'ABANDON'; readonly because: 'retained' }
)
/** The instance was retained, and its calls are over now. */
type CompletingRetained = {
  readonly name: 'completing'
  readonly from: Retained
  readonly completion: 'TERMINATE'
  readonly because: NoCalls
}
export type Completing = CompletingAction | CompletingRetained
export type Ended<B extends Because> = { readonly name: 'ended'; readonly because: B }
/** Why a drain without an action is over. */
export type HoldOver = 'lifted' | 'gone'

/** A hold with a drain that sees it through, until it is due (epoch ms). */
export interface DrainHold extends Omit<Hold, 'shownAt' | 'lifted' | 'replaces'> {
  readonly source: Exclude<HoldSource, 'retired'>
  readonly until: number
}

export type LifecycleHold = DrainHold & { readonly source: 'lifecycle' }
export type ChosenHold = DrainHold & { readonly source: ChosenSource }

/** One row per drain: the claim that makes twice once, and all that its looks must remember. */
interface AnyDrain {
  readonly attempt: number
  /** rises by one with each write; a write names the version it read */
  readonly version: number
  /** when the last look began that was saved (epoch ms) */
  readonly lookedAt?: number
  /** about when the next one is made (epoch ms), unless settle wakes it sooner */
  readonly nextLookAt?: number
  /** looks of this attempt; a long drain carries on in a new execution before its history is full */
  readonly steps: number
  /**
   * its hold as this record knows it: its key is the drain's id, `placedAt` when the drain was asked for,
   * `until` its deadline
   */
  readonly hold: DrainHold
  /** not published yet, the oldest first */
  readonly events: readonly DrainEvent[]
}

/** A lifecycle action's. */
export interface ActionDrain extends AnyDrain {
  readonly hold: LifecycleHold
  readonly action: LifecycleTarget
  readonly lastHeartbeatAt?: number
  /** how often its completion was refused */
  readonly completionTries: number
  readonly callsEnded?: number
  readonly phase: Claimed | Draining | EndingCalls | Completing | Retained | Ended<Because>
}

export type CompletingDrain = ActionDrain & { readonly phase: Completing }

/** An operator's or alarm's. */
export interface HoldDrain extends AnyDrain {
  readonly hold: ChosenHold
  readonly action?: never
  readonly lastHeartbeatAt?: never
  readonly completionTries?: never
  readonly callsEnded?: never
  readonly phase: Claimed | Draining | Held | Ended<HoldOver>
}

export type Drain = ActionDrain | HoldDrain
export type Phase = Drain['phase']

/** Its looks from now on; an execution of the attempt before finds that, and ends. */
export function nextAttempt<D extends Drain>(drain: D): D {
  return { ...drain, attempt: drain.attempt + 1, steps: 0 }
}

export function drainId({ hold }: Pick<Drain, 'hold'>): string {
  return holdKey(hold)
}
