import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createLifecycleActions } from '../../functions/aws/lifecycle-actions.ts'
import { type AutoScaling, startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'
import { lifecycleActionsContract } from '../port-contracts/lifecycle-actions.ts'

const client = (endpoint: string) =>
  new AutoScalingClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })

let simulator: AutoScaling
let last = 0
beforeAll(async () => {
  simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async () => undefined,
    onTerminate: async () => undefined,
  })
  const hook = {
    name: 'drain',
    transition: 'terminating',
    heartbeatTimeoutSeconds: 3600,
    defaultResult: 'ABANDON',
  } as const
  simulator.createGroup({ name: 'media', hooks: [hook] })
})
afterAll(() => simulator.close())

async function begin() {
  last += 1
  const launched = await simulator.launch({ group: 'media', privateIp: `10.0.9.${last}` })
  await launched.done
  const instance = simulator.instances().find(({ privateIp }) => privateIp === `10.0.9.${last}`)
  if (!instance) throw new Error('the simulator lost an instance')
  await simulator.terminate(instance.id)
  const action = simulator.actions().findLast(({ instanceId }) => instanceId === instance.id)
  if (!action) throw new Error('the simulator began no lifecycle action')
  return { group: 'media', hook: 'drain', token: action.token, instanceId: instance.id }
}

describe('over the SDK', () => {
  lifecycleActionsContract(() => ({
    port: createLifecycleActions(client(simulator.endpoint)),
    begin,
    results: (instanceId) =>
      simulator.actions().flatMap((action) => (action.instanceId === instanceId && action.end?.result) || []),
  }))
})

test('ResourceContention passes through and ends nothing: it is worth another try', async () => {
  const port = createLifecycleActions(client(simulator.endpoint))
  const target = await begin()
  simulator.faults.contention = 1
  await expect(port.complete(target, 'CONTINUE')).rejects.toThrow(
    expect.objectContaining({ name: expect.stringContaining('ResourceContention') }),
  )
  expect(await port.complete(target, 'CONTINUE')).toBe('completed')
})

/** An Auto Scaling that answers every call with this ValidationError. */
async function refusing(message: string) {
  const server = createServer((_request, response) => {
    response.writeHead(400, { 'content-type': 'text/xml' }).end(
      `<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><Error><Type>Sender</Type>
       <Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return createLifecycleActions(client(`http://127.0.0.1:${port}`))
}

test('another ValidationError is not mistaken for "over"', async () => {
  const port = await refusing('Lifecycle hook name not found')
  await expect(port.heartbeat({ group: 'g', hook: 'h', instanceId: 'i-1' })).rejects.toThrow('not found')
})

test('the actions of a group that was deleted are over', async () => {
  const port = await refusing('AutoScalingGroup name not found - AutoScalingGroup media not found')
  const target = { group: 'media', hook: 'h', token: 'a-token', instanceId: 'i-1' }
  expect(await port.heartbeat(target)).toBe('over')
  expect(await port.complete(target, 'CONTINUE')).toBe('over')
})

test('an Auto Scaling that does not answer is an error', async () => {
  const nobody = createLifecycleActions(client('http://127.0.0.1:9'))
  await expect(nobody.heartbeat({ group: 'g', hook: 'h', instanceId: 'i-1' })).rejects.toThrow()
})
