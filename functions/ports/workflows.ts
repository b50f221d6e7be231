import type { WorkflowPayload } from '../contracts/workflow-payload.ts'

export interface Workflows {
  /**
   * Starts the execution `drainId` + `attempt`, once: one of that name that runs or succeeded is success.
   * Throws `ExecutionEnded` when it failed, timed out or was aborted: only a new attempt can start again.
   */
  start(input: WorkflowPayload): Promise<void>
}
