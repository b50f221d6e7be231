import { InvokeCommand, type LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda'
import type { EdgeTls } from '../contracts/edge-tls.ts'
import { type RelayRequest, type RpcOutcome, type RpcTransport, rpcOutcome } from '../contracts/rpc.ts'

export interface RelayTransportSettings {
  /** one that does not repeat an invocation: a write that timed out is neither done nor failed */
  readonly client: LambdaClient
  /** the relay's name or ARN */
  readonly functionName: string
  /** the edge's own, on a private address */
  readonly url: string
  /** for the relay's call to the edge */
  readonly timeoutMs: number
  /** for an `https` url: the relay can't read it itself, since it calls no AWS API */
  readonly tls?: EdgeTls
}

/** To one edge by way of the relay function, which is inside its network. */
export function createRelayTransport(settings: RelayTransportSettings): RpcTransport {
  const { client, functionName, url, timeoutMs, tls } = settings
  return {
    async post({ body, correlationId, secret, generation, limit, signal }): Promise<RpcOutcome> {
      const request: RelayRequest = {
        ...{ url, body, limit, timeoutMs },
        ...(secret !== undefined && { secret }),
        ...(correlationId !== undefined && { correlationId }),
        ...(generation !== undefined && { generation }),
        ...(tls !== undefined && { tls }),
      }
      try {
        const answer = await client.send(
          new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
          { abortSignal: signal },
        )
        const text = Buffer.from(answer.Payload ?? []).toString()
        // Its text about its failure is not repeated: it may quote what it was invoked with.
        if (answer.FunctionError)
          return {
            failure: 'unreachable',
            why: `the relay function failed: see its log${invocationOf(answer)}`,
          }
        const parsed = rpcOutcome.safeParse(jsonOrText(text))
        return parsed.success
          ? parsed.data
          : { failure: 'malformed', why: "the relay function's answer is none" }
      } catch (cause) {
        if (cause instanceof TooManyRequestsException) return { status: 429, body: '' }
        const name = cause instanceof Error ? cause.name : String(cause)
        const failure = name === 'AccessDeniedException' ? 'access-denied' : 'unreachable'
        return { failure, why: `the relay function could not be invoked (${name})`, cause }
      }
    },
    close: async () => undefined,
  }
}

/** As in each line of the function's own log. */
function invocationOf({ $metadata: { requestId } }: { $metadata: { requestId?: string } }): string {
  return requestId === undefined ? '' : ` [request ${requestId}]`
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
