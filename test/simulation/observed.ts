import type { Incident } from './incidents.ts'
import type { FloorPlan } from './plan.ts'
import type { Truth } from './truth.ts'

/** What can be seen of the world at one time, as plain data. */
export interface Seen {
  readonly at: number
  readonly edges: readonly EdgeSeen[]
  /** holds as they are stored */
  readonly holds: readonly HoldSeen[]
  /** records of what an entry showed before it was disabled */
  readonly records: readonly {
    readonly edge: string
    readonly set: number
    readonly uri: string
    readonly flags: string
    readonly server?: number
  }[]
  /** drains that have not ended */
  readonly drains: readonly { readonly id: string; readonly state: string; readonly server?: number }[]
  /** executions of each drain that are running */
  readonly executions: readonly {
    readonly drainId: string
    readonly attempt: number
    readonly startedAt: number
    /** it does nothing any more */
    readonly hangsSince?: number
  }[]
}
export interface EdgeSeen {
  readonly id: string
  readonly index: number
  readonly configured: boolean
  readonly hasGuard: boolean
  readonly guarded: readonly string[]
  /** of which URIs a late write of ours has changed the guard, and nothing since */
  readonly guardedLate: readonly string[]
  readonly entries: readonly {
    readonly set: number
    readonly uri: string
    readonly server?: number
    readonly flags: string
    /** what it would show had we never touched it; several where nobody can decide */
    readonly accepts: readonly string[]
    /** a late write of ours has changed it, and nothing since */
    readonly isLate: boolean
  }[]
}
export interface HoldSeen {
  readonly source: string
  readonly id: string
  readonly uris: readonly string[]
  readonly server?: number
  readonly lifted: boolean
}

/** A history that was run, for the referee. */
export interface History {
  readonly startedAt: number
  readonly endedAt: number
  readonly truth: Truth
  /** each time that two minutes of calm were over */
  readonly calms: readonly Seen[]
  /** at the very end, when every action had the time to end */
  readonly last: Seen
  readonly plan: {
    readonly servers: number
    readonly edges: readonly string[]
    readonly heartbeatTimeoutSeconds: number
    readonly launchHook: boolean
    readonly groupDeleted: boolean
    readonly rowLost: boolean
    /** what drains by choice must leave, how many may be under way, and how many holds a sender may have */
    readonly floors: readonly FloorPlan[]
    readonly atOnce: number | undefined
    readonly mostHolds: number | undefined
    /** one that the settings do not name, where they name senders */
    readonly unknownSender: string | undefined
    /** media servers tell their own count */
    readonly ownCount: boolean
    /** each edge is there from the beginning, counts, and remembers every call that may be up */
    readonly isTrusted: boolean
    /** epoch ms: an edge took up its list file */
    readonly listsLoadedAt: readonly number[]
    /** places that operators name by a destination, and those of them whose spelling changes */
    readonly byDestination: readonly number[]
    readonly renamed: readonly number[]
    /** of each place its availability zone */
    readonly zones: readonly string[]
  }
  /** whether the policy may keep an instance that is abandoned */
  readonly retains: boolean
  /** from when on the policy may let a machine go with what is left, by its deadline */
  readonly policyCutsFrom: (deadlineAt: number) => number
  /** whether the policy decides at the deadline, and how long after it that may take */
  readonly decidesAtDeadline: boolean
  /** whether the policy ends calls from the deadline on */
  readonly endsCalls: boolean
  /** whether any list file names it now, and whether there was a time between two when no edge listed it */
  readonly isListed: (server: number) => boolean
  readonly wasUnlisted: (server: number, from: number, to: number) => boolean
  readonly executions: readonly {
    readonly drainId: string
    readonly status: string
    readonly hangsSince?: number
    readonly events: number
  }[]
  /** each run of the sweep, and whether it failed or was killed, or something that it called failed */
  readonly sweeps: readonly { readonly at: number; readonly isBroken: boolean }[]
  /** every event that the bus took, in order; of a drain, or of something else */
  readonly published: readonly { readonly type: string; readonly drainId?: string }[]
  readonly activeActions: readonly { readonly token: string; readonly instanceId: string }[]
  /** whether the edge had a parameter then */
  readonly isManaged: (edge: number, at: number) => boolean
  /**
   * whether the control plane can have known a URI by then: an edge listed it while it had a parameter, or it
   * is a usual spelling of an address
   */
  readonly isKnown: (uri: string, by: number) => boolean
  readonly hits: ReadonlyMap<string, number>
  /** what violations may come from */
  readonly incidents: () => readonly Incident[]
}
