import { expect, test } from 'vitest'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import { ExecutionEnded } from '../../functions/control/errors.ts'
import type { Workflows } from '../../functions/ports/workflows.ts'

export interface WorkflowsWorld {
  readonly port: Workflows
  /** Of a drain that is new, an execution is brought so far. @returns what it was started with */
  execution(that: 'runs' | 'has failed' | 'has succeeded'): Promise<WorkflowPayload>
}

/** What Step Functions and whatever stands for it must do. */
export function workflowsContract(world: () => WorkflowsWorld): void {
  test('an attempt starts once', async () => {
    const { port, execution } = world()
    const payload = await execution('runs')
    expect(await port.start(payload)).toBe('runs')
    expect(await port.start({ ...payload, attempt: payload.attempt + 1 })).toBe('runs')
  })

  test('an attempt that has succeeded is over, and one that has failed needs another', async () => {
    const { port, execution } = world()
    expect(await port.start(await execution('has succeeded'))).toBe('over')
    await expect(port.start(await execution('has failed'))).rejects.toThrow(ExecutionEnded)
  })

  test('idle are the attempts that do not run: never started, succeeded, or failed', async () => {
    const { port, execution } = world()
    const runs = await execution('runs')
    const idle = [
      { drainId: runs.drainId, attempt: runs.attempt + 1 },
      { drainId: 'lifecycle/nobody/drain-calls', attempt: 1 },
      await execution('has succeeded'),
      await execution('has failed'),
    ].map(({ drainId, attempt }) => ({ drainId, attempt }))
    expect(await port.idle([{ drainId: runs.drainId, attempt: runs.attempt }, ...idle])).toEqual(idle)
    expect(await port.idle([])).toEqual([])
  })
}
