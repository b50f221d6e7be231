import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { DispatcherControlError } from '../control/errors.ts'
import type { Settles } from '../ports/settles.ts'

/**
 * Lambda did not take what the settle function was asked for; the message has the reason. Asking again is
 * harmless.
 */
export class SettleNotAsked extends DispatcherControlError {
  override readonly name = 'SettleNotAsked'
  readonly permanent = false
}

export interface SettlesOptions {
  /** one that may repeat an invocation: what comes twice is done once */
  readonly client: LambdaClient
  /** the settle function's name or ARN */
  readonly functionName: string
  /** what is being worked on: the settle function's log carries it on */
  readonly correlationId?: () => string | undefined
}

/**
 * Asks the settle function by an asynchronous invocation: Lambda keeps it, and tries it again where it fails.
 */
export function createSettles(options: SettlesOptions): Settles {
  const { client, functionName } = options
  const notAsked = (kind: string, why: string, cause?: unknown) =>
    new SettleNotAsked(
      `the function ${functionName} could not be asked for "${kind}": ${why}. It is asked again; if it never works, look at lambda:InvokeFunction in the role and at the account's concurrency`,
      { cause },
    )
  return {
    async ask(request) {
      const correlationId = options.correlationId?.()
      const command = new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'Event',
        Payload: JSON.stringify(correlationId === undefined ? request : { ...request, correlationId }),
      })
      const answer = await client.send(command).catch((error: unknown) => {
        throw notAsked(
          request.kind,
          error instanceof Error ? `${error.name}: ${error.message}` : String(error),
          error,
        )
      })
      if (answer.StatusCode !== 202)
        throw notAsked(request.kind, `status ${answer.StatusCode} instead of 202`)
    },
  }
}
