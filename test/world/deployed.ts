import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import { stepInput, workflowInput } from '../../functions/contracts/workflow-payload.ts'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { look } from '../../functions/drain/look.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import type { EdgePorts, Ports } from '../../functions/ports/ports.ts'
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
  /**
   * As Lambda does with what nobody waits for: a request that fails comes again after a minute, and once more
   * after two.
   */
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
  let looks = 0
  const step = async (input: unknown) => {
    looks += 1
    return look(ports, stepInput(workflowInput.parse(input)).payload)
  }
  const execute = interpreter(drainWorkflow, {
    clock,
    stopped,
    tasks: {
      Look: step,
      CompleteDrain: step,
      RetireDrain: step,
    },
  })
  return { settled, execute, looks: () => looks }
}
