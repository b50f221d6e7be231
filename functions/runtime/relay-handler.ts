import { createHash } from 'node:crypto'
import { BlockList, isIPv4 } from 'node:net'
import type { Agent } from 'undici'
import type { EdgeTls } from '../contracts/edge-tls.ts'
import { edgeAccessEnvironment } from '../contracts/names.ts'
import { parseAs, parseJson } from '../contracts/parse.ts'
import { isAllowedBody, type RpcOutcome, relayRequest, relayTargets } from '../contracts/rpc.ts'
import { createAgent, createHttpTransport } from '../kamailio/http-transport.ts'

/** An edge in the same network answers at once; each request's own time is shorter. */
const connectTimeoutMs = 10_000

/**
 * A Lambda handler that sends one JSON-RPC request to one edge on a private address. It calls no AWS API,
 * reaches only the configured networks, port and path, and sends only what our own client may send.
 */
export function relayHandler(): (event: unknown) => Promise<RpcOutcome> {
  const name = edgeAccessEnvironment.relayTargets
  const { networks, port } = parseAs(relayTargets, parseJson(process.env[name] ?? '', name), name)
  const allowed = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    allowed.addSubnet(address, Number(prefix), 'ipv4')
  }
  const agentWith = agents()

  return async (event) => {
    const request = relayRequest.safeParse(event)
    if (!request.success) return { failure: 'malformed', why: 'the relay was asked for something else' }
    const { url, body, correlationId, secret, generation, limit, timeoutMs, tls } = request.data
    const { protocol, hostname, pathname, search, username, port: asked } = new URL(url)
    const named = Number(asked || (protocol === 'https:' ? 443 : 80))
    const reachable = isIPv4(hostname) && allowed.check(hostname) && named === port
    if (!reachable || pathname + search !== '/rpc' || username !== '')
      return {
        failure: 'no-route',
        why: `the relay may only reach port ${port} and path /rpc of an IPv4 address within ${networks.join(', ')}: give the edge's parameter such a url, or name its network in the settings' edgeAccess and deploy`,
      }
    if (!isAllowedBody(body)) return { failure: 'access-denied', why: 'the relay does not send this request' }
    const agent = agentWith(tls)
    const transport = createHttpTransport({ url, timeoutMs, agent, ...(tls && { tls }) })
    const outcome = await transport.post({
      body,
      correlationId,
      secret,
      generation,
      limit,
      signal: AbortSignal.timeout(timeoutMs),
    })
    if ('failure' in outcome) return { failure: outcome.failure, why: outcome.why }
    const { status, body: answer, boot } = outcome
    return { status, body: answer, ...(boot !== undefined && { boot }) }
  }
}

/** During a rotation some callers still have the certificates of old. */
const mostAgents = 4

/**
 * Connections for each side of TLS that we have been given; those that were not asked for lately are closed.
 */
function agents(): (tls: EdgeTls | undefined) => Agent {
  const made = new Map<string, Agent>()
  return (tls) => {
    const name = createHash('sha256')
      .update(JSON.stringify(tls ?? null))
      .digest('hex')
    const agent = made.get(name) ?? createAgent(connectTimeoutMs, tls)
    made.delete(name)
    made.set(name, agent)
    for (const [oldest, unused] of [...made].slice(0, -mostAgents)) {
      made.delete(oldest)
      // What is under way on it is answered first; nobody waits for its end.
      unused.close().catch(() => undefined)
    }
    return agent
  }
}
