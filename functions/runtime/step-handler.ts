import type { Context } from 'aws-lambda'
import { stepInput, type WorkflowPayload, workflowInput } from '../contracts/workflow-payload.ts'
import { InvalidMessage } from '../control/errors.ts'
import type { Ports } from '../ports/ports.ts'
import { correlated } from './correlation.ts'
import { readEnvironment } from './environment.ts'
import { createLogger } from './logger.ts'
import { createPorts } from './ports.ts'

/**
 * A Lambda handler for one step of the workflow: payload in, payload out, and one line of the log; what is
 * thrown leads the workflow back to waiting.
 */
export function stepHandler(
  step: (ports: Ports, payload: WorkflowPayload) => Promise<WorkflowPayload>,
): (event: unknown, context: Context) => Promise<WorkflowPayload> {
  const ports = createPorts(readEnvironment(process.env))
  async function run(payload: WorkflowPayload, context: Context): Promise<WorkflowPayload> {
    const { drainId, attempt, correlationId } = payload
    const logger = createLogger({ drainId })
    const startedAt = ports.clock.now()
    const facts = () => ({
      requestId: context.awsRequestId,
      attempt,
      durationMs: ports.clock.now() - startedAt,
    })
    try {
      const next = await step(ports, payload)
      logger.info('Step done', { ...facts(), next: next.next, waitSeconds: next.waitSeconds })
      return correlationId === undefined ? next : { ...next, correlationId }
    } catch (error) {
      logger.error('Step failed, the workflow waits and tries again', { ...facts(), error })
      throw error
    }
  }

  return async (event, context) => {
    const input = workflowInput.safeParse(event)
    if (!input.success) throw new InvalidMessage(`workflow payload: ${input.error.message}`)
    const { payload, others } = stepInput(input.data)
    const next = await correlated(payload.correlationId ?? payload.drainId, () => run(payload, context))
    return { ...others, ...next }
  }
}
