import { EC2Client } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstances } from '../../functions/aws/instances.ts'
import { destinationTag } from '../../functions/contracts/names.ts'
import type { Instances } from '../../functions/ports/instances.ts'
import { type AutoScaling, startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'

let simulator: AutoScaling
let instances: Instances
beforeAll(async () => {
  simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async () => undefined,
    onTerminate: async () => undefined,
  })
  simulator.createGroup({ name: 'media', hooks: [] })
  instances = createInstances(
    new EC2Client({
      endpoint: simulator.endpoint,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    }),
  )
})
afterAll(() => simulator.close())

async function launch(privateIp: string, more: Partial<Parameters<AutoScaling['launch']>[0]> = {}) {
  const { done } = await simulator.launch({ group: 'media', privateIp, ...more })
  await done
  const instance = simulator.instances().findLast((one) => one.privateIp === privateIp)
  if (!instance) throw new Error('the simulator lost an instance')
  return instance
}

test('an instance comes with every address it has, its group and zone, and the destinations of its tag', async () => {
  const launched = await launch('10.0.1.20', {
    secondaryIps: ['10.0.1.21'],
    ipv6: '2001:db8:0:0::20',
    publicIp: '203.0.113.20',
    privateDnsName: 'IP-10-0-1-20.internal',
    tags: { [destinationTag]: ' sip:a.example  sip:b.example:5080 ' },
  })
  expect((await instances.byIds([launched.id]))[0]).toEqual({
    instanceId: launched.id,
    launchedAt: Math.floor(launched.launchTime.getTime()),
    state: 'running',
    addresses: expect.arrayContaining([
      '10.0.1.20',
      '10.0.1.21',
      '2001:db8::20',
      '203.0.113.20',
      'ip-10-0-1-20.internal',
    ]),
    taggedDestinations: ['sip:a.example', 'sip:b.example:5080'],
    group: 'media',
    zone: 'eu-central-1a',
  })
})

test('an address finds exactly its instance, while that runs', async () => {
  const { id } = await launch('10.0.2.2', {
    publicIp: '203.0.113.2',
    secondaryIps: ['10.0.2.30'],
    ipv6: '2001:db8::2',
    privateDnsName: 'media-2.internal',
  })
  await launch('10.0.2.20')
  for (const host of [
    '10.0.2.2',
    '10.0.2.30',
    '203.0.113.2',
    'Media-2.internal',
    '[2001:DB8:0::2]',
    '2001:db8::2',
  ])
    expect((await instances.byAddress(host)).map(({ instanceId }) => instanceId)).toEqual([id])
  for (const host of ['10.0.2.3', 'media-3.internal']) expect(await instances.byAddress(host)).toEqual([])
  await (await simulator.terminate(id, { destination: 'WarmPool' })).done
  expect((await instances.byIds([id]))[0]).toMatchObject({
    state: 'stopped',
    addresses: expect.arrayContaining(['10.0.2.2']),
  })
  expect(await instances.byAddress('10.0.2.2')).toEqual([])
})

test('one unknown id hides none of those that EC2 knows, however many are asked for', async () => {
  const [dead, alive] = [await launch('10.0.3.1'), await launch('10.0.3.2')]
  await (await simulator.terminate(dead.id)).done
  const strangers = Array.from({ length: 250 }, (_, n) => `i-0fffffffffffff${String(n).padStart(3, '0')}`)
  const found = await instances.byIds([alive.id, ...strangers, 'not-an-id', dead.id])
  expect(found.map(({ instanceId, state }) => [instanceId, state])).toEqual([
    [alive.id, 'running'],
    [dead.id, 'terminated'],
  ])
  expect(await instances.byIds([])).toEqual([])
})

test("the instances of groups are theirs and nobody else's, however many groups and pages there are", async () => {
  simulator.createGroup({ name: 'others', hooks: [] })
  const own = await launch('10.0.4.1')
  await launch('10.0.4.2', { group: 'others' })
  const names = [...Array.from({ length: 250 }, (_, n) => `none-${n}`), 'media']
  const found = await instances.inGroups(names)
  expect(new Set(found.map(({ group }) => group))).toEqual(new Set(['media']))
  expect(found.map(({ instanceId }) => instanceId)).toContain(own.id)
  expect(await instances.inGroups([])).toEqual([])
})
