import { AsyncLocalStorage } from 'node:async_hooks'
import { MockAgent, setGlobalDispatcher } from 'undici'
import type { GroupConfig } from '../../functions/contracts/config.ts'
import { createMediaServers } from '../../functions/kamailio/media-servers.ts'
import type { MediaServers } from '../../functions/ports/media-servers.ts'

type ChannelsAt = (address: string) => readonly string[]

const asked = new AsyncLocalStorage<ChannelsAt>()

/** Whoever is asked answers `GET /ari/channels` with the channels of the world that asks. */
function answerAll(): void {
  const agent = new MockAgent()
  agent.disableNetConnect()
  agent
    .get(/^http:/)
    .intercept({ path: '/ari/channels' })
    .reply(({ origin }) => {
      // Of IPv6 the address is in brackets.
      const [host = ''] = /[^[\]]+/.exec(new URL(String(origin)).hostname) ?? []
      const names = asked.getStore()?.(host) ?? []
      const channels = names.map((name, index) => ({ id: `1795381357.${index}`, name, state: 'Up' }))
      return { statusCode: 200, data: JSON.stringify(channels) }
    })
    .persist()
  setGlobalDispatcher(agent)
}

/**
 * The media servers' own counts by the product's adapter, over Asterisks in memory.
 * @param channelsAt the names of the channels that the Asterisk at an address has now
 */
export function createAsterisks(groups: readonly GroupConfig[], channelsAt: ChannelsAt): MediaServers {
  answerAll()
  const servers = createMediaServers({
    groups,
    password: async () => 'simulated',
    // Only the virtual clock may end a request.
    timeoutMs: 2 ** 31 - 1,
  })
  return { activeCalls: (server) => asked.run(channelsAt, () => servers.activeCalls(server)) }
}
