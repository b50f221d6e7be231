import { createServer } from 'node:http'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SSMClient } from '@aws-sdk/client-ssm'
import { onTestFinished, vi } from 'vitest'
import { createRelayTransport } from '../../functions/aws/relay-transport.ts'
import { createRequestSigner } from '../../functions/aws/request-signer.ts'
import { edgeAccessEnvironment } from '../../functions/contracts/names.ts'
import type { RpcTransport } from '../../functions/contracts/rpc.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { relayHandler } from '../../functions/runtime/relay-handler.ts'
import { type ApiGateway, startApiGateway } from '../../lab/emulator/api-gateway.ts'

export const region = 'eu-central-1'
export const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** API Gateway in front of one edge, and our way through it. Both end with the test. */
export async function throughGateway(
  url: string,
  options: { readonly credentials?: typeof key; readonly timeoutMs?: number; readonly signed?: boolean } = {},
): Promise<{ gateway: ApiGateway; transport: RpcTransport }> {
  const { credentials = key, timeoutMs, signed = true } = options
  const gateway = await startApiGateway({ region, key, ...(timeoutMs !== undefined && { timeoutMs }) })
  onTestFinished(() => gateway.close())
  gateway.routes.set('edge-a', url)
  const sdk = new SSMClient({ region, credentials })
  const sign = createRequestSigner(sdk.config)
  const to = `${gateway.endpoint}/edges/edge-a/rpc`
  return { gateway, transport: createHttpTransport({ url: to, timeoutMs: 5000, ...(signed && { sign }) }) }
}

/** The relay as Lambda would run it, and our way through it. It ends with the test. */
export async function throughRelay(
  url: string,
  targets: object = { networks: ['127.0.0.0/8'], port: Number(new URL(url).port) },
): Promise<{ transport: RpcTransport; invocations: string[]; client: LambdaClient }> {
  vi.stubEnv(edgeAccessEnvironment.relayTargets, JSON.stringify(targets))
  const relay = relayHandler()
  vi.unstubAllEnvs()
  const invocations: string[] = []
  const lambda = createServer(async (incoming, outgoing) => {
    let text = ''
    for await (const chunk of incoming) text += chunk
    invocations.push(text)
    outgoing.setHeader('content-type', 'application/json')
    outgoing.end(JSON.stringify(await relay(JSON.parse(text))))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  lambda.listen(0, '127.0.0.1', resolve)
  await promise
  onTestFinished(() => void lambda.close().closeAllConnections())
  const address = lambda.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`
  const client = new LambdaClient({ endpoint, region, credentials: key, maxAttempts: 1 })
  const transport = createRelayTransport({ client, functionName: 'edge-relay', url, timeoutMs: 2000 })
  return { transport, invocations, client }
}
