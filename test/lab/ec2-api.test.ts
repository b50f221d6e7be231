import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2'
import { afterEach, describe, expect, test } from 'vitest'
import { startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

async function world() {
  const simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async () => undefined,
    onTerminate: async () => undefined,
  })
  running.push(() => simulator.close())
  simulator.createGroup({ name: 'media', hooks: [] })
  const launch = async (privateIp: string) => {
    const { instance } = await simulator.launch({
      group: 'media',
      hooked: false,
      privateIp,
      secondaryIps: [privateIp.replace('10.0', '10.9')],
      ipv6: `2001:db8::${privateIp.split('.').at(-1)}`,
      publicIp: privateIp.replace('10.0', '198.51'),
      tags: { Name: 'Müller &lt; & <Söhne>' },
    })
    return instance
  }
  const client = new EC2Client({
    endpoint: simulator.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  const find = async (input: DescribeInstancesCommand['input']) => {
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand(input))
    return Reservations.flatMap(({ Instances = [] }) => Instances)
  }
  return { simulator, launch, find }
}

describe('DescribeInstances', () => {
  test('shows every address, the state, the launch time and the tags of a machine', async () => {
    const { launch, find } = await world()
    const { id, launchTime } = await launch('10.0.1.20')
    expect(await find({ InstanceIds: [id] })).toMatchObject([
      {
        InstanceId: id,
        State: { Code: 16, Name: 'running' },
        LaunchTime: launchTime,
        PrivateIpAddress: '10.0.1.20',
        PublicIpAddress: '198.51.1.20',
        Ipv6Address: '2001:db8::20',
        PrivateDnsName: 'ip-10-0-1-20.eu-central-1.compute.internal',
        NetworkInterfaces: [
          {
            PrivateIpAddresses: [
              { PrivateIpAddress: '10.0.1.20', Primary: true, Association: { PublicIp: '198.51.1.20' } },
              { PrivateIpAddress: '10.9.1.20', Primary: false },
            ],
            Ipv6Addresses: [{ Ipv6Address: '2001:db8::20' }],
          },
        ],
        Tags: [
          { Key: 'aws:autoscaling:groupName', Value: 'media' },
          { Key: 'Name', Value: 'Müller &lt; & <Söhne>' },
        ],
      },
    ])
  })

  test.each([
    ['private-ip-address', '10.0.1.2'],
    ['ip-address', '198.51.1.2'],
    ['network-interface.addresses.private-ip-address', '10.9.1.2'],
    ['ipv6-address', '2001:db8::2'],
    ['network-interface.ipv6-addresses.ipv6-address', '2001:db8::2'],
    ['private-dns-name', 'ip-10-0-1-2.eu-central-1.compute.internal'],
  ])('finds by %s exactly: 10.0.1.2 is not 10.0.1.20', async (Name, value) => {
    const { launch, find } = await world()
    const { id } = await launch('10.0.1.2')
    await launch('10.0.1.20')
    const found = await find({ Filters: [{ Name, Values: [value] }] })
    expect(found.map(({ InstanceId }) => InstanceId)).toEqual([id])
  })

  test('joins filters by and, their values by or', async () => {
    const { simulator, launch, find } = await world()
    const [up, down] = [await launch('10.0.1.2'), await launch('10.0.1.3')]
    const { done } = await simulator.terminate(down.id)
    await done
    const found = await find({
      Filters: [
        { Name: 'tag:aws:autoscaling:groupName', Values: ['other', 'media'] },
        { Name: 'instance-state-name', Values: ['pending', 'running'] },
      ],
    })
    expect(found.map(({ InstanceId }) => InstanceId)).toEqual([up.id])
  })

  test('a terminated machine is still known by its id and has no address any more', async () => {
    const { simulator, launch, find } = await world()
    const { id } = await launch('10.0.1.20')
    const { done } = await simulator.terminate(id)
    await done
    const found = await find({ InstanceIds: [id] })
    expect(found).toMatchObject([{ State: { Code: 48, Name: 'terminated' } }])
    expect(found[0]).not.toHaveProperty('PrivateIpAddress')
    expect(await find({ Filters: [{ Name: 'private-ip-address', Values: ['10.0.1.20'] }] })).toEqual([])
  })

  test('an unknown id, a malformed id and an unknown filter are errors by name', async () => {
    const { find } = await world()
    await expect(find({ InstanceIds: ['i-1234567890abcdef0'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
      message: "The instance ID 'i-1234567890abcdef0' does not exist",
      $metadata: { httpStatusCode: 400 },
    })
    await expect(find({ InstanceIds: ['media-1'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.Malformed',
    })
    await expect(find({ Filters: [{ Name: 'colour', Values: ['red'] }] })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    })
  })
})
