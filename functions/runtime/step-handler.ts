import { type WorkflowPayload, workflowInput } from '../contracts/workflow-payload.ts'
import { InvalidMessage } from '../control/errors.ts'
import type { Ports } from '../use-cases/ports.ts'
import { readEnvironment } from './environment.ts'
import { createPorts } from './ports.ts'

/** A Lambda handler for one step of the workflow: payload in, payload out; what is thrown leads the workflow back to waiting. */
export function stepHandler(
  step: (ports: Ports, payload: WorkflowPayload) => Promise<WorkflowPayload>,
): (event: unknown) => Promise<WorkflowPayload> {
  const ports = createPorts(readEnvironment(process.env))
  return async (event) => {
    const input = workflowInput.safeParse(event)
    if (!input.success) throw new InvalidMessage(`workflow payload: ${input.error.message}`)
    const { error: _, ...payload } = input.data
    return step(ports, payload)
  }
}
