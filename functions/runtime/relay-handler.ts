import { BlockList, isIPv4 } from 'node:net'
import { edgeAccessEnvironment } from '../contracts/names.ts'
import { parseAs, parseJson } from '../contracts/parse.ts'
import {
  isAllowedRequest,
  type RpcOutcome,
  type RpcTransport,
  relayRequest,
  relayTargets,
} from '../contracts/rpc.ts'
import { createHttpTransport } from '../kamailio/http-transport.ts'

/**
 * A Lambda handler that says one JSON-RPC request to one edge on a private address. It calls no AWS API, reaches only the
 * configured networks, port and path, and says only what our own client may say.
 */
export function relayHandler(): (event: unknown) => Promise<RpcOutcome> {
  const name = edgeAccessEnvironment.relayTargets
  const { networks, port } = parseAs(relayTargets, parseJson(process.env[name] ?? '', name), name)
  const allowed = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    allowed.addSubnet(address, Number(prefix), 'ipv4')
  }
  const transports = new Map<string, RpcTransport>()

  return async (event) => {
    const request = relayRequest.safeParse(event)
    if (!request.success) return { failure: 'malformed', why: 'the relay was asked for something else' }
    const { url, body, secret, limit, timeoutMs } = request.data
    const { protocol, hostname, pathname, search, username, port: asked } = new URL(url)
    const named = Number(asked || (protocol === 'https:' ? 443 : 80))
    const reachable = isIPv4(hostname) && allowed.check(hostname) && named === port
    if (!reachable || pathname + search !== '/rpc' || username !== '')
      return {
        failure: 'no-route',
        why: `the relay may only reach port ${port} and path /rpc within ${networks.join(', ')}: name the edge's network in the settings' edgeAccess and deploy`,
      }
    if (!isAllowedRequest(body))
      return { failure: 'access-denied', why: 'the relay does not say this request' }
    const transport = transports.get(url) ?? createHttpTransport({ url, timeoutMs })
    transports.set(url, transport)
    const outcome = await transport.post({ body, secret, limit, signal: AbortSignal.timeout(timeoutMs) })
    return 'failure' in outcome ? { failure: outcome.failure, why: outcome.why } : outcome
  }
}
