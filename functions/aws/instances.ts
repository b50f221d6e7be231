import {
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  type EC2Client,
  EC2ServiceException,
  type Instance,
} from '@aws-sdk/client-ec2'
import * as z from 'zod'
import { destinationTag } from '../contracts/names.ts'
import { canonicalHost } from '../control/destination.ts'
import type { InstanceFacts, Instances } from '../use-cases/ports.ts'
import { parseAnswer } from './rows.ts'

const required = z.object({
  InstanceId: z.string(),
  LaunchTime: z.date(),
  State: z.object({
    Name: z.enum(['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped']),
  }),
})

/** EC2 takes at most 200 values in one filter. */
const filterValues = 200

/** Instances as `DescribeInstances` shows them, all pages. */
export function createInstances(client: EC2Client): Instances {
  async function describe(input: DescribeInstancesCommandInput): Promise<Instance[]> {
    const found: Instance[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new DescribeInstancesCommand({ ...input, ...(token && { NextToken: token }) }),
      )
      for (const reservation of page.Reservations ?? []) found.push(...(reservation.Instances ?? []))
      token = page.NextToken
    } while (token)
    return found
  }

  return {
    async byId(instanceId) {
      try {
        const [instance] = await describe({ InstanceIds: [instanceId] })
        return instance && factsOf(instance)
      } catch (error) {
        if (error instanceof EC2ServiceException && error.name === 'InvalidInstanceID.NotFound')
          return undefined
        throw error
      }
    },

    async gone(instanceIds) {
      const gone: string[] = []
      for (let from = 0; from < instanceIds.length; from += filterValues) {
        // A filter, since an id that EC2 has forgotten would fail a request by InstanceIds as a whole.
        const found = await describe({
          Filters: [
            { Name: 'instance-id', Values: instanceIds.slice(from, from + filterValues) },
            { Name: 'instance-state-name', Values: ['shutting-down', 'terminated'] },
          ],
        })
        gone.push(...found.map((instance) => factsOf(instance).instanceId))
      }
      return gone
    },

    async byAddress(host) {
      const address = canonicalHost(host) ?? host
      for (const filter of addressFilters(address)) {
        const found = await describe({
          Filters: [
            { Name: filter, Values: [address] },
            { Name: 'instance-state-name', Values: ['pending', 'running'] },
          ],
        })
        if (found.length > 0) return found.map(factsOf)
      }
      return []
    },
  }
}

/** EC2 joins filters by "and": an address is looked for in one place after the other. */
function addressFilters(address: string): readonly string[] {
  if (address.includes(':')) return ['network-interface.ipv6-addresses.ipv6-address']
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address))
    return [
      'network-interface.addresses.private-ip-address',
      'network-interface.addresses.association.public-ip',
    ]
  return ['private-dns-name', 'dns-name']
}

function factsOf(instance: Instance): InstanceFacts {
  const { InstanceId, LaunchTime, State } = parseAnswer(
    required,
    instance,
    `EC2 instance ${instance.InstanceId}`,
  )
  const tag = (key: string) => instance.Tags?.find((candidate) => candidate.Key === key)?.Value
  const group = tag('aws:autoscaling:groupName')
  return {
    instanceId: InstanceId,
    launchedAt: LaunchTime.getTime(),
    state: State.Name,
    addresses: addressesOf(instance),
    taggedDestinations: (tag(destinationTag) ?? '').split(/\s+/).filter(Boolean),
    ...(group !== undefined && { group }),
  }
}

function addressesOf(instance: Instance): readonly string[] {
  const interfaces = instance.NetworkInterfaces ?? []
  const all = [
    instance.PrivateIpAddress,
    instance.PublicIpAddress,
    instance.Ipv6Address,
    instance.PrivateDnsName,
    instance.PublicDnsName,
    ...interfaces.flatMap((one) => [
      ...(one.PrivateIpAddresses ?? []).flatMap((address) => [
        address.PrivateIpAddress,
        address.PrivateDnsName,
        address.Association?.PublicIp,
        address.Association?.PublicDnsName,
      ]),
      ...(one.Ipv6Addresses ?? []).map((address) => address.Ipv6Address),
    ]),
  ]
  return [...new Set(all.flatMap((host) => (host && canonicalHost(host)) || []))]
}
