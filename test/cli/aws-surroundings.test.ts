import { createServer } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import type { Hook } from '../../cli/desk/surroundings.ts'
import { awsSurroundings } from '../../cli/reach/aws-surroundings.ts'
import { startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'
import { deployment } from './deployment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const made = { stack: 'voice', prefix: 'Control', settleFunction: 'Settle' }

type Around = ReturnType<typeof surroundings>

function surroundings(endpoint: string) {
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'stub')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'stub')
  return awsSurroundings(deployment, made, { region: 'eu-central-1', maxAttempts: 1 })
}

test('a hook that is put is shown as it was put, and a group that was told to retain retains', async () => {
  const simulator = await startAutoScaling({
    ...{ region: 'eu-central-1', accountId: '123456789012' },
    publish: async () => undefined,
    onTerminate: async () => undefined,
  })
  try {
    simulator.createGroup({ name: 'media', hooks: [], suspended: ['Launch'] })
    const around = surroundings(simulator.endpoint)
    expect(await around.groups(['media', 'none'])).toEqual([
      { name: 'media', retains: false, suspended: ['Launch'] },
    ])
    const hook: Hook = {
      name: 'drain-calls',
      transition: 'terminating',
      heartbeatSeconds: 300,
      defaultResult: 'ABANDON',
    }
    await around.putHook('media', { ...hook, heartbeatSeconds: 60 })
    await around.putHook('media', hook)
    await around.retain('media')
    expect(await around.hooks('media')).toEqual([hook])
    expect(await around.groups(['media'])).toMatchObject([{ retains: true }])
  } finally {
    await simulator.close()
  }
})

test.each([
  ['a queue', 'QueueDoesNotExist', (around: Around, url: string) => around.messages(`${url}/1/gone`), 'gone'],
  ['a function', 'ResourceNotFoundException', (around: Around) => around.reserved('Settle'), 'gone'],
])('%s that was deleted is shown as gone', async (_, code, ask, shown) => {
  const aws = createServer((request, response) => {
    request.resume()
    response.writeHead(400, { 'x-amzn-errortype': code }).end(JSON.stringify({ __type: code }))
  })
  await new Promise<void>((listens) => aws.listen(0, '127.0.0.1', listens))
  try {
    const address = aws.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const url = `http://127.0.0.1:${port}`
    const around = surroundings(url)
    expect(await ask(around, url)).toEqual(shown)
  } finally {
    aws.close()
  }
})

test('AWS’s time is that of its answer', async () => {
  const date = 'Sun, 22 Nov 2026 20:00:00 GMT'
  const answer = '<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>'
  const aws = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { date, 'content-type': 'text/xml' }).end(answer)
  })
  await new Promise<void>((listens) => aws.listen(0, '127.0.0.1', listens))
  try {
    const address = aws.address()
    const port = typeof address === 'object' && address ? address.port : 0
    expect(await surroundings(`http://127.0.0.1:${port}`).time()).toBe(Date.parse(date))
  } finally {
    aws.close()
  }
})
