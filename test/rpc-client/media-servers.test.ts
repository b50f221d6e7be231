import { expect, test } from 'vitest'
import { controlConfig } from '../../functions/contracts/config.ts'
import { createMediaServers } from '../../functions/kamailio/media-servers.ts'
import { memoryConfig } from '../memory/ports.ts'
import { type HttpRequest, loopback, reply } from './loopback.ts'

const password = 'ari-password-hush'

async function asterisk(answer: (request: HttpRequest) => { body: string; status?: string }) {
  const server = await loopback((request, socket) => {
    const { body, status } = answer(request)
    reply(socket, body, status)
  })
  const callCount = {
    kind: 'asterisk' as const,
    port: Number(new URL(server.url).port),
    user: 'dispatcher',
    passwordParameter: '/ari/password',
  }
  const groups = memoryConfig.groups.map((group) => ({ ...group, callCount }))
  const config = controlConfig.parse({ ...memoryConfig, groups: [...groups, ...bare] })
  const asked: string[] = []
  const mediaServers = createMediaServers({
    groups: config.groups,
    timeoutMs: 2000,
    password: async (parameter) => {
      asked.push(parameter)
      return password
    },
  })
  return { server, mediaServers, asked }
}
const bare = memoryConfig.groups.map((group) => ({ ...group, name: 'without-count' }))
const channels = (count: number) =>
  JSON.stringify(
    Array.from({ length: count }, (_, n) => ({
      id: `1795381357.${n}`,
      name: `PJSIP/anonymous-0000000${n}`,
      state: 'Up',
    })),
  )

test("an Asterisk's channels are its calls, asked for with its own user", async () => {
  const { server, mediaServers, asked } = await asterisk(() => ({ body: channels(3) }))
  expect(await mediaServers.activeCalls({ group: 'media', addresses: ['127.0.0.1'] })).toBe(3)
  const head = server.requests[0]?.head ?? ''
  expect(head).toMatch(/^GET \/ari\/channels HTTP\/1\.1/)
  expect(head).toContain(Buffer.from(`dispatcher:${password}`).toString('base64'))
  expect(asked).toEqual(['/ari/password'])
})

test('no channel is 0, and a group without a count is undefined, not 0', async () => {
  const { mediaServers, server } = await asterisk(() => ({ body: '[]' }))
  const addresses = ['127.0.0.1']
  expect(await mediaServers.activeCalls({ group: 'media', addresses })).toBe(0)
  expect(await mediaServers.activeCalls({ group: 'without-count', addresses })).toBe(undefined)
  expect(await mediaServers.activeCalls({ addresses })).toBe(undefined)
  expect(server.requests).toHaveLength(1)
})

test('the next address is asked where one does not answer', async () => {
  const { mediaServers } = await asterisk(() => ({ body: channels(2) }))
  // nobody listens on that one
  const addresses = ['127.0.0.99', '127.0.0.1']
  expect(await mediaServers.activeCalls({ group: 'media', addresses })).toBe(2)
})

test.each<[string, { body: string; status?: string }]>([
  ['an error', { body: '{"message":"Invalid"}', status: '401 Unauthorized' }],
  ['an object', { body: '{}' }],
  ['channels without an id', { body: '[{}]' }],
  ['rubbish', { body: '[' }],
  ['10 MB', { body: `[${' '.repeat(10_485_760)}]` }],
])('%s in reply is unreadable, never a number, and the password is not told', async (_what, answer) => {
  const { mediaServers } = await asterisk(() => answer)
  const calls = mediaServers.activeCalls({ group: 'media', addresses: ['127.0.0.1'] })
  await expect(calls).rejects.toMatchObject({ name: 'MediaServerUnreadable', permanent: false })
  await expect(calls).rejects.not.toThrow(new RegExp(password))
})

test('without an address it is unreadable', async () => {
  const { mediaServers } = await asterisk(() => ({ body: '[]' }))
  const calls = mediaServers.activeCalls({ group: 'media', addresses: [] })
  await expect(calls).rejects.toThrow(/no private address is known/)
})
