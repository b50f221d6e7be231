import { callerPlans } from '../plan/fleet-plan.ts'
import type { CallLedger } from './call-ledger.ts'
import { type Caller, type SippLab, startCaller } from './calls.ts'
import type { Edge } from './edge.ts'

/** The callers of one run, each at a steady rate through one edge. */
export interface Traffic {
  /** No new calls; those that are up go on to their BYE. */
  readonly stopPlacing: () => void
  /** stopPlacing(), then waits until the last call is over. @returns whether it was within `timeoutMs` */
  readonly finish: (timeoutMs: number) => Promise<boolean>
  readonly kill: () => Promise<void>
}

/** Name of the SIPp that places calls of that plan through that edge. */
export function callerName(phase: number, plan: string, edge: string): string {
  return `caller-${phase}-${plan}-${edge}`
}

/** Whether the SIPp of that name places calls of the longest kind. */
export function isLongCaller(name: string): boolean {
  return /^caller-\d+-long-/.test(name)
}

/** Starts every caller of the plan on every edge. `phase` makes their names new when calls start again. */
export async function startTraffic(
  lab: SippLab & { readonly ledger: CallLedger },
  edges: readonly Edge[],
  phase: number,
): Promise<Traffic> {
  const callers: Caller[] = await Promise.all(
    edges.flatMap((edge) =>
      callerPlans.map((plan) =>
        startCaller(lab, {
          name: callerName(phase, plan.name, edge.name),
          address: plan.address,
          via: edge,
          called: plan.called,
          callsPerSecond: plan.callsPerSecond,
          callMs: plan.callMs,
        }),
      ),
    ),
  )
  let placing = true
  // A second SIGUSR1 makes SIPp hang up its calls.
  const stopPlacing = () => {
    if (placing) for (const caller of callers) caller.stopPlacing()
    placing = false
  }
  const kill = async () => {
    await Promise.all(callers.map((caller) => caller.kill()))
  }
  return {
    stopPlacing,
    kill,
    finish: async (timeoutMs) => {
      stopPlacing()
      const timer = setTimeout(() => void kill(), timeoutMs)
      await Promise.all(callers.map((caller) => caller.done))
      clearTimeout(timer)
      return lab.ledger.awaitQuiet(2000)
    },
  }
}
