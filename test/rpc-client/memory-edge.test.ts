import { destinationUri } from '../../functions/control/destination.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { MemoryEdge } from '../memory/edge.ts'
import { edgeContract } from '../port-contracts/edge.ts'
import { throughGateway, throughRelay } from './gateway-paths.ts'
import { clientOf, loopback } from './loopback.ts'
import { answerFrom } from './memory-over-http.ts'

const first = destinationUri('sip:10.0.1.20:5060')
const second = destinationUri('sip:10.0.1.21:5060')
if (!first || !second) throw new Error('the sample destinations are no SIP URIs')

const served = (edge: MemoryEdge) => loopback((request, socket) => void answerFrom(edge, request, socket))
const overHttp = async (edge: MemoryEdge, now: () => number) => clientOf(await served(edge), { now })
const overGateway = async (edge: MemoryEdge, now: () => number) => {
  const server = await served(edge)
  return clientOf(server, { now, transport: (await throughGateway(server.url)).transport })
}
const overRelay = async (edge: MemoryEdge, now: () => number) => {
  const server = await served(edge)
  return clientOf(server, { now, transport: (await throughRelay(server.url)).transport })
}

for (const [release, name, reached] of [
  ['6.1', 'memory as 6.1', async (edge: MemoryEdge) => edge],
  ['6.0', 'memory as 6.0', async (edge: MemoryEdge) => edge],
  ['5.6', 'memory as 5.6', async (edge: MemoryEdge) => edge],
  ['6.1', 'our client over HTTP to memory', overHttp],
  ['6.1', 'our client through API Gateway to memory', overGateway],
  ['6.1', 'our client through the relay to memory', overRelay],
] as const) {
  edgeContract(name, () => ({
    release,
    first,
    second,
    secondAddress: '10.0.1.21',
    secondName: 'second.example',
    async open(request) {
      const clock = createMemoryClock()
      const {
        guard = true,
        profiles = true,
        endsCalls = true,
        restoresDialogs = false,
        plain = false,
      } = request
      const edge = new MemoryEdge({
        id: 'edge-a',
        clock,
        version: release,
        file: request.file,
        names: { 'second.example': '10.0.1.21' },
        guard: guard && !plain,
        endsCalls,
        restoresDialogs,
        rpcFile: plain ? 'none' : 'ours',
        profiles: profiles && !plain ? ['dst', 'src'] : [],
        dialogs: profiles,
        ...(request.pings && { probingMode: 1 as const }),
      })
      const live = (calls: readonly number[]) => ({
        hangUp: async () => {
          // Both ends hang up, whether or not the edge remembers the call.
          for (const call of calls.filter((one) => edge.isUp(one))) edge.hangUp(call)
        },
      })
      return {
        edge: await reached(edge, clock.now),
        writeFile: (file) => edge.writeFile(file),
        restart: async () => edge.restart(),
        async until(condition) {
          for (let waited = 0; waited < 15_000; waited += 500) {
            if (await condition()) return
            await clock.advance(500)
          }
          throw new Error('it did not come to be within 15 s')
        },
        callSet: async (calls) =>
          live(Array.from({ length: calls }, () => edge.invite(1)?.call ?? Number.NaN)),
        callFromSecond: async (calls) =>
          live(Array.from({ length: calls }, () => edge.callFrom('10.0.1.21'))),
        close: async () => undefined,
      }
    },
  }))
}
