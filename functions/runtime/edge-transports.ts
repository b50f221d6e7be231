import { LambdaClient } from '@aws-sdk/client-lambda'
import { createRelayTransport } from '../aws/relay-transport.ts'
import { createRequestSigner, type SigningConfig } from '../aws/request-signer.ts'
import type { EdgeParameter } from '../contracts/config.ts'
import type { RpcTransport } from '../contracts/rpc.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import { createHttpTransport } from '../kamailio/http-transport.ts'
import { clientSettings } from './client-settings.ts'
import type { Environment } from './environment.ts'

/** How each edge is reached: through the API's VPC link, through the relay, or at its own URL. */
export function edgeTransports(
  { edgeApi, edgeRelay, config }: Pick<Environment, 'edgeApi' | 'edgeRelay' | 'config'>,
  signing: SigningConfig,
): (id: string, parameter: EdgeParameter) => RpcTransport {
  const timeoutMs = config.timers.rpcTimeoutSeconds * 1000
  if (edgeApi !== undefined) {
    const sign = createRequestSigner(signing)
    return (id) => createHttpTransport({ url: `${edgeApi}/edges/${id}/rpc`, timeoutMs, sign })
  }
  const own = (id: string, { url }: EdgeParameter): string => {
    if (url === undefined) throw new InvalidConfiguration(`edge ${id}: its parameter needs a url`)
    return url
  }
  if (edgeRelay === undefined)
    return (id, parameter) => createHttpTransport({ url: own(id, parameter), timeoutMs })
  const client = new LambdaClient({
    ...clientSettings,
    maxAttempts: 1,
    // The request has a signal of its own: an RPC timeout may be longer than what other clients wait.
    requestHandler: { ...clientSettings.requestHandler, requestTimeout: timeoutMs + 1000 },
  })
  return (id, parameter) =>
    createRelayTransport({ client, functionName: edgeRelay, url: own(id, parameter), timeoutMs })
}
