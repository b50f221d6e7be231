import type { WorkflowPayload } from '../contracts/workflow-payload.ts'

/** What names an execution. */
export type Attempt = Pick<WorkflowPayload, 'drainId' | 'attempt'>

export interface Workflows {
  /**
   * Starts the execution `drainId` + `attempt`, once.
   * @returns `over` where one of that name has succeeded, `runs` where it runs, from now or before
   * @throws ExecutionEnded when it failed, timed out or was aborted: only a new attempt can start again
   */
  start(input: WorkflowPayload): Promise<'runs' | 'over'>
  /** @returns those of them that are not listed as running; the list may be seconds old */
  idle(attempts: readonly Attempt[]): Promise<readonly Attempt[]>
}
