/** One thing that did not hold: the figure of the report that shows it, and the words for people. */
export interface Problem {
  readonly figure: string
  readonly text: string
}

/** How the lifecycle action of a drain ended, by the simulator. */
export interface ActionEvidence {
  readonly endedAt: number | undefined
  readonly result: 'CONTINUE' | 'ABANDON' | undefined
  /** `completed` is our function's doing; anything else is not */
  readonly cause: string | undefined
  /** when Auto Scaling took one, Unix ms */
  readonly heartbeats: readonly number[]
}

/** A deadline that calls outlasted. All times are Unix ms. */
export interface DeadlineEvidence {
  readonly at: number
  readonly choice: 'retain' | 'end-calls' | 'terminate'
  /** when the machine of a retained instance was gone */
  readonly goneAt?: number | undefined
}

/** What the lab itself saw of one drain. All times are Unix ms. */
export interface DrainEvidence {
  readonly kind: 'drain'
  readonly scenario: string
  readonly destination: string
  /** the machine, e.g. `ms-1` */
  readonly machine: string
  /** its SIP server in the ledger */
  readonly server: string
  readonly edges: readonly string[]
  readonly triggeredAt: number
  /** the lifecycle action; undefined for an operator's or alarm's drain */
  readonly action?: ActionEvidence
  /** when the machine was switched off, as its lifecycle action was over */
  readonly goneAt?: number
  /** when the OK or the activate was sent, that gives the server back */
  readonly restoreAt?: number
  /** an edge that was restarted after the confirmation, and when that began */
  readonly restart?: { readonly edge: string; readonly at: number }
  /** what its group's policy has to decide on, as calls outlast the deadline */
  readonly deadline?: DeadlineEvidence
  /** until when the scenario was watched */
  readonly watchedUntil: number
  /** what the scenario found besides the calls */
  readonly problems: readonly Problem[]
}

/** What the lab saw of one launch on the address of a machine that was drained before. */
export interface LaunchEvidence {
  readonly kind: 'launch'
  readonly scenario: string
  readonly destination: string
  readonly machine: string
  readonly server: string
  readonly edges: readonly string[]
  readonly launchedAt: number
  readonly action: ActionEvidence
  readonly watchedUntil: number
  readonly problems: readonly Problem[]
}

export type Evidence = DrainEvidence | LaunchEvidence
