import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { MemoryEdge } from '../memory/edge.ts'
import { rpcPortContract, uris } from '../port-contracts/rpc-port.ts'
import { uriOf } from './loopback.ts'

for (const version of ['6.1', '6.0', '5.6'] as const)
  rpcPortContract(`memory as ${version}`, async () => {
    const file = uris.map((uri) => ({ set: 1, uri }))
    const edge = new MemoryEdge({ id: 'edge-a', clock: createMemoryClock(), version, file })
    return { transport: edge.transport, close: async () => undefined }
  })

test('a memory edge whose reply to a batch is too long has executed it: calls are not ended twice, states are asked again', async () => {
  const [uri] = uris.map(uriOf)
  if (!uri) throw new Error('there are many')
  const edge = new MemoryEdge({ id: 'edge-a', clock: createMemoryClock(), file: [{ set: 1, uri }] })
  await edge.boot()
  edge.misbehaviour = { replyTooLong: true }
  const writes = [
    { uri, held: true },
    { state: 'd' as const, set: 1, uri },
  ]
  expect(await edge.write(writes)).toEqual(['done', 'done'])
  expect(edge.requests.filter((text) => text.startsWith('dispatcher.set_state'))).toHaveLength(2)
  const calls = [edge.callTo(uri), edge.callTo(uri)]
  expect(calls).toHaveLength(2)
  await edge.endCalls({ uris: [uri], addresses: [] }, 2).catch((error: unknown) => {
    expect(error).toBeInstanceOf(EdgeError)
  })
  const ends = edge.requests.filter((text) => text.startsWith('dlg.terminate_dlg'))
  expect(new Set(ends).size).toBe(ends.length)
})
