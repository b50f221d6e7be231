import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  paginateListExecutions,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import { ExecutionEnded } from '../control/errors.ts'
import type { Workflows } from '../ports/workflows.ts'

export interface WorkflowsOptions {
  readonly client: SFNClient
  readonly stateMachineArn: string
  /** a collision-free hash in letters and digits, the same at every call and everywhere */
  readonly hash: (text: string) => string
  /** what is being worked on: an execution that is started carries it on */
  readonly correlationId?: () => string | undefined
}

/** The most that Step Functions answers on a page. */
const executionsAtOnce = 1000
/** Step Functions allows 80 characters. */
const longestName = 80

/**
 * The name of an attempt's execution: readable, and different for every drain and attempt. An id that is too
 * long, or has characters that a name can't have, is shortened and told apart by its hash.
 */
export function executionName(drainId: string, attempt: number, hash: (text: string) => string): string {
  const safe = drainId.replace(/[^A-Za-z0-9_-]/g, '_')
  const end = `-${attempt}`
  if (safe === drainId && safe.length + end.length <= longestName && !/-[0-9a-f]{16}$/.test(safe))
    return safe + end
  const tail = `-${hash(drainId).slice(0, 16)}${end}`
  return safe.slice(0, longestName - tail.length) + tail
}

export function createWorkflows(options: WorkflowsOptions): Workflows {
  const { client, stateMachineArn, hash } = options
  return {
    async start(payload) {
      const correlationId = options.correlationId?.()
      const input = correlationId === undefined ? payload : { ...payload, correlationId }
      const name = executionName(input.drainId, input.attempt, hash)
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }))
        return 'runs'
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error
        const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn }))
        if (status === 'RUNNING') return 'runs'
        if (status === 'SUCCEEDED') return 'over'
        throw new ExecutionEnded(
          `attempt ${input.attempt} of drain ${input.drainId} is ${status}: start it as attempt ${input.attempt + 1}`,
          { cause: error },
        )
      }
    },

    async idle(attempts) {
      if (attempts.length === 0) return []
      const running = new Set<string | undefined>()
      const pages = paginateListExecutions(
        { client, pageSize: executionsAtOnce },
        { stateMachineArn, statusFilter: 'RUNNING' },
      )
      for await (const { executions } of pages) for (const { name } of executions ?? []) running.add(name)
      return attempts.filter(({ drainId, attempt }) => !running.has(executionName(drainId, attempt, hash)))
    },
  }
}
