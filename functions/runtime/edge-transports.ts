import { LambdaClient } from '@aws-sdk/client-lambda'
import { createRelayTransport } from '../aws/relay-transport.ts'
import { createRequestSigner, type SigningConfig } from '../aws/request-signer.ts'
import type { EdgeParameter } from '../contracts/config.ts'
import type { EdgeTls } from '../contracts/edge-tls.ts'
import type { RpcTransport } from '../contracts/rpc.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import { createHttpTransport } from '../kamailio/http-transport.ts'
import { createTlsTransport, type EdgeTlsSource } from '../kamailio/tls-transport.ts'
import { clientSettings } from './client-settings.ts'
import type { EdgeEnvironment } from './edge-environment.ts'

/**
 * How each edge is reached: through the API's VPC link, through the relay, or at its own URL.
 * @param tlsSource our side of TLS, for the edges with an `https` url; not behind the API, which takes none
 */
export function edgeTransports(
  { edgeApi, edgeRelay, config }: Pick<EdgeEnvironment, 'edgeApi' | 'edgeRelay' | 'config'>,
  signing: SigningConfig,
  tlsSource?: EdgeTlsSource,
): (id: string, parameter: EdgeParameter) => RpcTransport {
  const timeoutMs = config.timers.rpcTimeoutSeconds * 1000
  if (edgeApi !== undefined) {
    const sign = createRequestSigner(signing)
    return (id) => createHttpTransport({ url: `${edgeApi}/edges/${id}/rpc`, timeoutMs, sign })
  }
  const byUrl =
    (way: (url: string, tls?: EdgeTls) => RpcTransport) =>
    (id: string, { url }: EdgeParameter): RpcTransport => {
      if (url === undefined) throw new InvalidConfiguration(`edge ${id}: its parameter needs a url`)
      const secured = tlsSource !== undefined && new URL(url).protocol === 'https:'
      return secured ? createTlsTransport(tlsSource, (tls) => way(url, tls)) : way(url)
    }
  if (edgeRelay === undefined)
    return byUrl((url, tls) => createHttpTransport({ url, timeoutMs, ...(tls && { tls }) }))
  const client = new LambdaClient({
    ...clientSettings,
    maxAttempts: 1,
    // The request has a signal of its own: an RPC timeout may be longer than what other clients wait.
    requestHandler: { ...clientSettings.requestHandler, requestTimeout: timeoutMs + 1000 },
  })
  return byUrl((url, tls) =>
    createRelayTransport({ client, functionName: edgeRelay, url, timeoutMs, ...(tls && { tls }) }),
  )
}
