/** Something that is wrong, and what mends it. */
export interface Finding {
  /** what was looked at, by a name that stays the same */
  readonly check: string
  /** `error`: drains don't begin, never end, or may cut calls; `warning`: they work by weaker means */
  readonly severity: 'error' | 'warning'
  /** an edge, a group, a queue, … */
  readonly on: string
  readonly what: string
  /** a command, or where the way is described */
  readonly mend: string
}

type Found = (check: string, on: string, what: string, mend: string) => Finding

export const error: Found = (check, on, what, mend) => ({ check, severity: 'error', on, what, mend })
export const warning: Found = (check, on, what, mend) => ({ check, severity: 'warning', on, what, mend })

/** Where the runbook has more. */
export const runbook = (anchor: string) => `docs/operations.md#${anchor}`
/** Where the steps on an edge are. */
export const onEdge = (anchor: string) => `kamailio/README.md#${anchor}`
