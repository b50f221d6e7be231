import type { DeadlineChoice } from './deadline.ts'
import type { Because, Completing, LifecycleActionRef } from './drain.ts'
import type { EdgeResult } from './edge-result.ts'
import type { Ending } from './ending.ts'
import type { HoldSource } from './hold.ts'
import type { Sender } from './sender.ts'
import type { Verdict } from './verdict.ts'

/** What a drain is called in its row and its events. */
export type DrainState = 'claimed' | 'draining' | 'drained' | 'completing' | 'ended'

/** Who, why, what: the part of a drain that every event about it shows. Times in epoch ms. */
export interface DrainSummary {
  readonly drainId: string
  readonly attempt: number
  readonly source: Exclude<HoldSource, 'retired'>
  readonly who: string
  readonly sender?: Sender | undefined
  readonly why: string
  readonly force?: string | undefined
  readonly instanceId?: string | undefined
  readonly group?: string | undefined
  readonly uris: readonly string[]
  readonly state: DrainState
  readonly result?: Because | undefined
  readonly requestedAt: number
  readonly deadlineAt: number
  /** when its hold is lifted by itself */
  readonly endsAt?: number | undefined
  readonly callsEnded?: number | undefined
}

type NothingMore = Readonly<Record<never, never>>

interface CallsLeft {
  readonly callsLeft: number
  readonly unknown: readonly string[]
}

interface ActionAnswered {
  readonly action: LifecycleActionRef
  readonly completion: Completing['completion']
}

/** What can happen to a drain, and what its event shows beside the summary. */
export interface DrainEventMore {
  readonly drainStarted: NothingMore
  readonly drainConfirmed: {
    readonly edges: readonly EdgeResult[]
    readonly kamailio: Readonly<Record<string, string>>
  }
  readonly drainProgress: CallsLeft & {
    readonly verdict: Verdict
    readonly released: readonly string[]
    readonly lacks: readonly string[]
    readonly edges?: readonly EdgeResult[]
    readonly ending?: Ending
  }
  readonly drained: NothingMore
  readonly drainOverdue: CallsLeft & { readonly policy?: DeadlineChoice; readonly because?: string }
  readonly callsEnded: {
    readonly policy: 'end-calls'
    readonly ended: number
    readonly edges: readonly { readonly edge: string; readonly ended: number; readonly failed?: string }[]
  }
  readonly drainEnded: NothingMore
  readonly lifecycleCompleted: ActionAnswered & { readonly outcome: 'completed' | 'over' }
  readonly lifecycleCompletionFailed: ActionAnswered & { readonly tries: number; readonly error: string }
  readonly instanceRetained: NothingMore
  readonly retainedTooLong: CallsLeft & { readonly ageMs: number }
}
export type DrainEventName = keyof DrainEventMore
export type DrainEventDetail<N extends DrainEventName> = DrainSummary & DrainEventMore[N]

/** Something that happened to a drain, for people and machines. */
export type DrainEvent<N extends DrainEventName = DrainEventName> = {
  [K in N]: {
    readonly name: K
    /** its own, and when it happened (epoch ms): given by the first write that keeps it */
    readonly id?: string
    readonly at?: number
    readonly detail: DrainEventDetail<K>
  }
}[N]
