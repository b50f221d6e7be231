import type { Drain } from './drain.ts'
import { looking, withEvent } from './phases.ts'

/** What an edge's last step of ending calls came to, and all its steps. */
export interface EndedOnEdge {
  readonly edge: string
  /** epoch ms: which step */
  readonly step: number
  readonly total: number
  readonly ended: number
  readonly failed?: string
}

/** What the steps before have ended, as far as the edges' readings tell; and why an edge ended none. */
export function countEndedCalls(drain: Drain, endedOn: readonly EndedOnEdge[]): Drain {
  if (!drain.action) return drain
  const phase = looking(drain)
  if (phase.name !== 'ending-calls' || phase.lastStepAt === undefined) return drain
  const before = drain.callsEnded ?? 0
  const total = endedOn.reduce((sum, one) => sum + one.total, 0)
  const callsEnded = Math.max(before, total)
  const edges = endedOn.flatMap(({ edge, step, ended: calls, failed }) =>
    step === phase.lastStepAt ? [{ edge, ended: calls, ...(failed !== undefined && { failed }) }] : [],
  )
  if (callsEnded === before && edges.every(({ failed }) => failed === undefined)) return drain
  const more = { policy: 'end-calls', ended: callsEnded - before, edges } as const
  return withEvent({ ...drain, callsEnded }, 'callsEnded', more)
}
