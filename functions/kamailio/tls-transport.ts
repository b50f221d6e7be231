import type { EdgeTls } from '../contracts/edge-tls.ts'
import type { RpcTransport } from '../contracts/rpc.ts'
import { InvalidConfiguration } from '../control/errors.ts'

/** Our side of TLS to the edges. It may be rotated at any time. */
export interface EdgeTlsSource {
  get(): Promise<EdgeTls>
  /** Asked when one side does not trust the other: what we hold may be of old. */
  refresh(): Promise<EdgeTls>
}

/**
 * To one edge with the certificates of `source`. What was not sent since one side did not trust the other is
 * sent once more if they have changed since: a handshake that failed executed nothing.
 */
export function createTlsTransport(
  source: EdgeTlsSource,
  transportWith: (tls: EdgeTls) => RpcTransport,
): RpcTransport {
  let current: { readonly tls: EdgeTls; readonly transport: RpcTransport } | undefined
  const closing = new Set<Promise<void>>()

  function close(transport: RpcTransport) {
    const closed = transport.close().finally(() => closing.delete(closed))
    closing.add(closed)
  }
  function over(tls: EdgeTls): RpcTransport {
    if (current !== undefined && isSame(current.tls, tls)) return current.transport
    if (current !== undefined) close(current.transport)
    current = { tls, transport: transportWith(tls) }
    return current.transport
  }

  return {
    async post(message) {
      const tls = await read(source.get())
      if ('failure' in tls) return tls
      const outcome = await over(tls).post(message)
      if (!('failure' in outcome) || outcome.failure !== 'untrusted') return outcome
      const fresh = await read(source.refresh())
      return 'failure' in fresh || isSame(fresh, tls) ? outcome : over(fresh).post(message)
    },
    async close() {
      if (current !== undefined) close(current.transport)
      current = undefined
      await Promise.all(closing)
    },
  }
}

async function read(asked: Promise<EdgeTls>) {
  return asked.catch((cause: unknown) => {
    // The SDK's words stay in the cause; ours name the parameter and what is wrong with it.
    const what = cause instanceof InvalidConfiguration ? `: ${cause.message}` : ''
    return { failure: 'untrusted', why: `what edgeTls names could not be read${what}`, cause } as const
  })
}

function isSame(one: EdgeTls, other: EdgeTls): boolean {
  return (
    one.ca === other.ca &&
    one.client?.certificate === other.client?.certificate &&
    one.client?.key === other.client?.key
  )
}
