import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import { ExecutionEnded } from '../../functions/control/errors.ts'
import type { Workflows } from '../../functions/ports/workflows.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryWorkflows extends Workflows {
  /** the input of each execution, once, in order */
  readonly starts: readonly WorkflowPayload[]
  /** The execution of this attempt failed, timed out or was aborted: its name stays taken. */
  fail(drainId: string, attempt: number): void
}

/** `onStart` is told of each execution that really starts. */
export function createMemoryWorkflows(onStart?: (input: WorkflowPayload) => void): Faulty<MemoryWorkflows> {
  const starts: WorkflowPayload[] = []
  const failed = new Set<string>()
  return faulty<MemoryWorkflows>({
    starts,
    fail: (drainId, attempt) => {
      failed.add(`${drainId}#${attempt}`)
    },
    async start(input) {
      const { drainId, attempt } = input
      if (failed.has(`${drainId}#${attempt}`))
        throw new ExecutionEnded(`attempt ${attempt} of drain ${drainId} ended as FAILED`)
      if (starts.some((start) => start.drainId === drainId && start.attempt === attempt)) return
      starts.push({ ...input })
      onStart?.({ ...input })
    },
  })
}
