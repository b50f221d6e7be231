import { describe } from 'vitest'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import { workflowsContract } from '../port-contracts/workflows.ts'
import { createMemoryWorkflows } from './workflows.ts'

describe('as Step Functions', () => {
  const workflows = createMemoryWorkflows()
  let last = 0
  workflowsContract(() => ({
    port: workflows,
    async execution(that) {
      last += 1
      const payload: WorkflowPayload = {
        drainId: `lifecycle/i-${last}/drain-calls`,
        attempt: 1,
        next: 'observe',
        waitSeconds: 600,
        retrySeconds: 60,
      }
      await workflows.start(payload)
      if (that === 'has failed') workflows.fail(payload.drainId, 1)
      if (that === 'has succeeded') workflows.succeed(payload.drainId, 1)
      return payload
    },
  }))
})
