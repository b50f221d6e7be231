import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEdge } from '../../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { kamailioReleases } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { startMediaServer } from '../../lab/sip/calls.ts'
import { edgeContract } from '../port-contracts/edge.ts'
import { throughGateway, throughRelay } from '../rpc-client/gateway-paths.ts'
import { clientOf, type Ground, listable, openGround, realPlaces, secret } from './edge-world.ts'

let opened: Ground | undefined
const ground = () => {
  if (!opened) throw new Error('the ground is not there yet')
  return opened
}
beforeAll(async () => {
  const lines: string[] = []
  opened = await openGround(
    await provision({ kamailio: kamailioReleases, log: (line) => void lines.push(line) }),
  )
})
afterAll(() => opened?.close())

edgeContract('a real Kamailio 6.0', () => realPlaces(ground(), '6.0'), { calls: false })

for (const release of ['6.1', '5.6'] as const) {
  edgeContract(`a real Kamailio ${release}`, () => realPlaces(ground(), release))
  edgeContract(`a real Kamailio ${release} behind API Gateway`, () =>
    realPlaces(ground(), release, async (url) => (await throughGateway(url)).transport),
  )
  edgeContract(`a real Kamailio ${release} behind the relay`, () =>
    realPlaces(ground(), release, async (url) => (await throughRelay(url)).transport),
  )

  describe(`the client over a real Kamailio ${release}`, () => {
    test('a rotated secret is asked for once more, and a wrong one is unauthorized', async () => {
      const edge = await ground().edge(release, {
        destinations: [{ set: 1, uri: ground().first.uri }],
        nextSecret: 'the-secret-after-rotation',
      })
      const over = (fresh: string) =>
        createEdge({
          id: 'rotating',
          transport: createHttpTransport({ url: edge.rpcUrl, timeoutMs: 5000 }),
          restoresDialogs: false,
          timeoutMs: 5000,
          key: { secret: async () => 'a-secret-of-old', refreshSecret: async () => fresh },
        })
      expect((await over('the-secret-after-rotation').list()).destinations).toHaveLength(1)
      expect((await over(secret).list()).destinations).toHaveLength(1)
      const refused = over('another-wrong-one').list()
      await expect(refused).rejects.toMatchObject({ fault: 'unauthorized' })
      await expect(refused).rejects.not.toThrow(/another-wrong-one/)
      await edge.kill()
    })

    test('an edge that has none of our files lists and sets states, has no guard and counts nothing', async () => {
      const { first } = ground()
      const edge = await ground().edge(release, {
        plain: true,
        destinations: [{ set: 1, uri: first.uri }],
      })
      const client = clientOf(edge)
      const uri = listable(first.uri)
      expect(await client.write([{ state: 'd', set: 1, uri }])).toEqual(['done'])
      expect((await client.list()).destinations).toMatchObject([{ set: 1, uri, flags: 'DX' }])
      expect(await client.write([{ uri, held: true }])).toEqual(['no-guard'])
      expect(await client.readGuards([uri])).toEqual(['no-guard'])
      const [count] = await client.count([{ uris: [uri], addresses: [first.address] }])
      expect(count).toMatchObject({
        fault: 'unsupported',
        message: expect.stringContaining('call-profiles.cfg'),
      })
      await client.close()
      await edge.kill()
    })

    test('calls from an IPv6 address are counted, however it is spelled', async () => {
      const server = await startMediaServer(ground().sip, { name: `ipv6-${release}`, address: '::1' })
      const edge = await ground().edge(release, {
        ipv6: true,
        destinations: [{ set: 1, uri: server.uri }],
      })
      const caller = await ground().calls({
        address: '::1',
        placedBy: server.name,
        via: { name: edge.name, address: '::1', sipPort: edge.sipPortIpv6 ?? 0 },
        called: 'phone',
        calledHost: `[::1]:${server.port}`,
        callMs: 10_000,
        maxCalls: 2,
      })
      const client = clientOf(edge)
      for (const address of ['::1', '0:0:0:0:0:0:0:1', '[::1]'])
        expect(await client.count([{ uris: [], addresses: [address] }])).toMatchObject([{ calls: 2 }])
      await client.close()
      await Promise.all([caller.kill(), edge.kill(), server.kill()])
    })

    test('an edge that is not there is unreachable, and once it is there again it is read', async () => {
      const edge = await ground().edge(release, { destinations: [{ set: 1, uri: ground().first.uri }] })
      const client = clientOf(edge)
      expect((await client.list()).destinations).toHaveLength(1)
      await edge.stop()
      await expect(client.list()).rejects.toMatchObject({ fault: 'unreachable' })
      await edge.start()
      expect((await client.list()).destinations).toHaveLength(1)
      await edge.restart()
      expect((await client.list()).destinations).toHaveLength(1)
      await client.close()
      await edge.kill()
    })
  })
}
