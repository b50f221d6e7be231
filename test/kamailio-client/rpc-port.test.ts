import { rpcPortContract, uris } from '../contract/rpc-port.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { MemoryEdge } from '../memory/edge.ts'

for (const version of ['6.1', '6.0', '5.6'] as const)
  rpcPortContract(`memory as ${version}`, async () => {
    const file = uris.map((uri) => ({ group: 1, uri }))
    const edge = new MemoryEdge({ id: 'edge-a', clock: createMemoryClock(), version, file })
    return { transport: edge.transport, close: async () => undefined }
  })
