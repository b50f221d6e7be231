import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import { ExecutionEnded } from '../../functions/control/errors.ts'
import type { Attempt, Workflows } from '../../functions/ports/workflows.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryWorkflows extends Workflows {
  /** the input of each execution, once, in order */
  readonly starts: readonly WorkflowPayload[]
  /** The execution of this attempt failed, timed out or was aborted: its name stays taken. */
  fail(drainId: string, attempt: number): void
  /** The execution of this attempt succeeded. */
  succeed(drainId: string, attempt: number): void
}

/** `onStart` is told of each execution that really starts. */
export function createMemoryWorkflows(onStart?: (input: WorkflowPayload) => void): Faulty<MemoryWorkflows> {
  const starts: WorkflowPayload[] = []
  const ended = new Map<string, 'FAILED' | 'SUCCEEDED'>()
  const nameOf = ({ drainId, attempt }: Attempt) => `${drainId}#${attempt}`
  return faulty<MemoryWorkflows>({
    starts,
    fail: (drainId, attempt) => {
      ended.set(nameOf({ drainId, attempt }), 'FAILED')
    },
    succeed: (drainId, attempt) => {
      ended.set(nameOf({ drainId, attempt }), 'SUCCEEDED')
    },
    async start(input) {
      const { drainId, attempt } = input
      if (ended.get(nameOf(input)) === 'FAILED')
        throw new ExecutionEnded(`attempt ${attempt} of drain ${drainId} ended as FAILED`)
      if (ended.has(nameOf(input))) return 'over'
      if (starts.some((start) => nameOf(start) === nameOf(input))) return 'runs'
      starts.push({ ...input })
      onStart?.({ ...input })
      return 'runs'
    },
    async idle(attempts) {
      const running = new Set(starts.map(nameOf).filter((name) => !ended.has(name)))
      return attempts.filter((attempt) => !running.has(nameOf(attempt)))
    },
  })
}
