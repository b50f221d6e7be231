import type { DeadlinePolicy, EndCalls } from './deadline.ts'
import type { DestinationUri } from './destination.ts'
import type { Hold, HoldSource, Subject } from './hold.ts'
import type { LifecycleTransition } from './lifecycle.ts'

export interface LifecycleTarget {
  readonly group: string
  readonly hook: string
  readonly token?: string
  readonly instanceId: string
  readonly transition: LifecycleTransition
  readonly policy: DeadlinePolicy
  /** with `end-calls` */
  readonly endCalls?: EndCalls
  readonly heartbeatSeconds: number
}

/** What is remembered of one edge over the looks of a drain. */
export interface EdgeMemory {
  /** by when it had first shown a zero that could count, the boot time it had then, and how many calls had ever begun there */
  readonly zero?: { readonly at: number; readonly bootTime: string; readonly begun?: number }
  readonly everListed: boolean
  /** calls that the edge's keepalives had ended without a proof, and when that number was first seen */
  readonly reaped?: { readonly calls: number; readonly at: number }
}

export type DrainState =
  /** somebody has to begin it */
  | 'claimed'
  /** held and disabled where possible */
  | 'draining'
  /** no calls are left; an operator's or alarm's drain waits here for its hold to be lifted */
  | 'drained'
  /** the lifecycle action is being completed */
  | 'completing'
  /** the lifecycle action is over; the destination stays retired */
  | 'retired'
  | 'ended'

/** One row per drain: the claim that makes twice once, and all that the workflow's steps must remember. Times in epoch ms. */
export interface DrainRecord {
  readonly id: string
  readonly attempt: number
  /** rises by one with each write; a write names the version it read */
  readonly version: number
  readonly source: Exclude<HoldSource, 'retired'>
  readonly holdId: string
  readonly who: string
  readonly why: string
  /** orders messages about the same drain, compared as text */
  readonly order: string
  readonly state: DrainState
  readonly requestedAt: number
  readonly deadlineAt: number
  /** whose destinations settle finds; not given: `uris` are meant */
  readonly instanceId?: string
  readonly subject?: Subject
  readonly uris: readonly DestinationUri[]
  /** see {@link Hold} */
  readonly formerUris?: readonly DestinationUri[]
  readonly addresses: readonly string[]
  readonly wholeInstance: boolean
  readonly group?: string
  readonly edges: Readonly<Record<string, EdgeMemory>>
  readonly lifecycle?: LifecycleTarget
  readonly lastHeartbeatAt?: number
  readonly confirmedAt?: number
  readonly overdueSaid?: boolean
  /** since when its calls are ended with BYEs */
  readonly endingSince?: number
  /** the last step that did so; written before it does, so that one which comes again soon does not */
  readonly endedCallsAt?: number
  readonly callsEnded?: number
  /** what the complete step is to do; TERMINATE: the instance was retained and its calls are over now */
  readonly completion?: 'CONTINUE' | 'ABANDON' | 'TERMINATE'
  /** the action ended and the instance was kept for its calls: the drain goes on without a lifecycle action */
  readonly retainedAt?: number
  readonly retainedTooLongSaid?: boolean
  readonly completionTries: number
  /** steps of this attempt; a long drain carries on in a new execution before its history is full */
  readonly steps: number
  /** EC2 said that the instance is terminated */
  readonly terminatedAt?: number
  readonly result?:
    | 'drained'
    | 'absent'
    | 'gone'
    | 'lifted'
    | 'terminated-at-deadline'
    | 'retained'
    | 'action-over'
}

/** @returns the record with what its hold covers, as it is resolved now: its next write keeps it */
export function resolvedBy(record: DrainRecord, hold: Hold): DrainRecord {
  const { subject, uris, formerUris, addresses, group } = hold
  return {
    ...{ ...record, subject, uris, addresses },
    ...(formerUris && { formerUris }),
    ...(group !== undefined && { group }),
  }
}
