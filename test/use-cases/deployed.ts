import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import { stepInput, type WorkflowPayload, workflowInput } from '../../functions/contracts/workflow-payload.ts'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { completeDrain } from '../../functions/use-cases/complete-drain.ts'
import { handleSettle } from '../../functions/use-cases/handle-settle.ts'
import { observeDrain } from '../../functions/use-cases/observe-drain.ts'
import type { EdgePorts, Ports } from '../../functions/use-cases/ports.ts'
import { retireDrain } from '../../functions/use-cases/retire-drain.ts'
import type { MemoryClock } from '../memory/clock.ts'
import { interpreter } from '../workflow/interpreter.ts'

const minute = 60_000

interface Functions {
  readonly ports: Ports & EdgePorts
  readonly clock: MemoryClock
  /** no execution goes on */
  readonly stopped: () => boolean
  /** no settle is begun */
  readonly ended: () => boolean
}

/** What runs in Lambda and in Step Functions. */
export function deployed({ ports, clock, stopped, ended }: Functions) {
  /** As Lambda does with what nobody waits for: a request that fails comes again after a minute, and once more after two. */
  const settled = async (request: SettleRequest) => {
    for (const waitMs of [1 * minute, 2 * minute, undefined]) {
      try {
        if (!ended()) await handleSettle(ports, request)
        return
      } catch {
        if (waitMs !== undefined) await clock.sleep(waitMs)
      }
    }
  }
  const step =
    (work: (ports: Ports, payload: WorkflowPayload) => Promise<WorkflowPayload>) =>
    async (input: unknown) => {
      const { payload } = stepInput(workflowInput.parse(input))
      return work(ports, payload)
    }
  const execute = interpreter(drainWorkflow, {
    clock,
    stopped,
    tasks: {
      ObserveDrain: step(observeDrain),
      CompleteDrain: step(completeDrain),
      RetireDrain: step(retireDrain),
    },
  })
  return { settled, execute }
}
