import { AsyncLocalStorage } from 'node:async_hooks'
import { type WorkflowPayload, workflowInput } from '../../functions/contracts/workflow-payload.ts'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { look } from '../../functions/drain/look.ts'
import type { Ports } from '../../functions/ports/ports.ts'
import type { MemoryClock } from '../memory/clock.ts'
import { createMemoryWorkflows } from '../memory/workflows.ts'
import { interpreter } from '../workflow/interpreter.ts'
import type { Faults } from './faults.ts'
import type { Plan } from './plan.ts'
import type { FunctionName, Runs } from './runs.ts'

/** What an execution of the workflow came to; `events` of its history so far. */
export interface ExecutionSeen {
  readonly drainId: string
  readonly attempt: number
  readonly startedAt: number
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED'
  /** it is shown as running, and does nothing any more */
  hangsSince?: number
  events: number
}

interface ExecutionSettings {
  readonly plan: Plan
  readonly clock: MemoryClock
  readonly startedAt: number
  readonly runs: Runs
  readonly faults: Faults
  /** when the look began by which the running step goes */
  readonly decidedAt: AsyncLocalStorage<number | undefined>
  /** of the functions that its steps run in */
  readonly ports: () => Ports
}

/** Step Functions: executions of the deployed definition, each step in a function. */
export class Executions {
  readonly seen: ExecutionSeen[] = []
  readonly workflows = createMemoryWorkflows((input) => this.begin(input))
  private readonly settings: ExecutionSettings
  private readonly execute: ReturnType<typeof interpreter>
  private readonly current = new AsyncLocalStorage<ExecutionSeen>()
  private readonly lookedAt = new Map<string, number>()
  private isOver = false

  constructor(settings: ExecutionSettings) {
    this.settings = settings
    this.execute = interpreter(drainWorkflow, {
      clock: settings.clock,
      stopped: () => this.isOver,
      tasks: {
        Look: this.step('look'),
        CompleteDrain: this.step('complete-drain'),
        RetireDrain: this.step('retire-drain'),
      },
    })
  }

  /** The world is over. */
  stop(): void {
    this.isOver = true
  }

  /** Those that run for such a drain are stopped by hand, or hang: their running step still ends. */
  leave(isMeant: (drainId: string) => boolean, how: 'stopped' | 'hangs'): void {
    for (const seen of this.seen) {
      if (!isMeant(seen.drainId) || seen.status !== 'RUNNING') continue
      if (how === 'hangs') seen.hangsSince ??= this.settings.clock.now()
      else this.ends(seen, 'STOPPED')
    }
  }

  private begin(input: WorkflowPayload): void {
    const { clock, runs } = this.settings
    const { drainId, attempt } = input
    const seen: ExecutionSeen = { drainId, attempt, startedAt: clock.now(), status: 'RUNNING', events: 0 }
    this.seen.push(seen)
    void runs
      .outside(() => this.current.run(seen, () => this.execute(input)))
      .then(({ status, events }) => {
        seen.events = events
        if (seen.status === 'RUNNING') this.ends(seen, status)
      })
  }

  private ends(seen: ExecutionSeen, status: ExecutionSeen['status']): void {
    const { drainId, attempt } = seen
    seen.status = status
    if (status === 'SUCCEEDED') this.workflows.succeed(drainId, attempt)
    else if (!this.isOver) this.workflows.fail(drainId, attempt)
  }

  private step(name: Extract<FunctionName, 'look' | 'complete-drain' | 'retire-drain'>) {
    return async (input: unknown) => {
      const { plan, clock, startedAt, runs, faults, decidedAt, ports } = this.settings
      const seen = this.current.getStore()
      if (seen?.status !== 'RUNNING' || seen.hangsSince !== undefined) return new Promise(() => undefined)
      const outcome = await runs.invoke(name, async () => {
        const { error: _, ...payload } = workflowInput.parse(input)
        if (name === 'look') this.lookedAt.set(payload.drainId, clock.now())
        return decidedAt.run(this.lookedAt.get(payload.drainId), () => look(ports(), payload))
      })
      if (outcome.end === 'died') throw Object.assign(new Error('killed'), { name: 'Sandbox.Timedout' })
      if (outcome.end === 'failed') throw outcome.error
      if (!isNewer(plan, clock.now() - startedAt)) return outcome.answer
      faults.hit('payload of a newer release', clock.now())
      return { ...outcome.answer, ofANewerRelease: 1 }
    }
  }
}

function isNewer({ faults }: Plan, age: number): boolean {
  return faults.some((fault) => fault.kind === 'newer-payload' && age >= fault.from && age < fault.to)
}
