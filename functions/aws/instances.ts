import { DescribeInstancesCommand, type EC2Client, type Filter, type Instance } from '@aws-sdk/client-ec2'
import * as z from 'zod'
import { destinationTag } from '../contracts/names.ts'
import { canonicalHost } from '../control/destination.ts'
import type { InstanceFacts } from '../control/instance-life.ts'
import type { Instances } from '../ports/instances.ts'
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
/** The most that EC2 answers. */
const pageSize = 1000

const groupTag = 'aws:autoscaling:groupName'
const groupFilter = `tag:${groupTag}`

/** Instances as `DescribeInstances` shows them, all pages. */
export function createInstances(client: EC2Client): Instances {
  async function describe(filters: readonly Filter[]): Promise<Instance[]> {
    const found: Instance[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new DescribeInstancesCommand({
          Filters: [...filters],
          MaxResults: pageSize,
          ...(token && { NextToken: token }),
        }),
      )
      for (const reservation of page.Reservations ?? []) found.push(...(reservation.Instances ?? []))
      token = page.NextToken
    } while (token)
    return found
  }

  return {
    async inGroups(groups) {
      const found: Instance[] = []
      for (const values of slices(groups))
        found.push(...(await describe([{ Name: groupFilter, Values: values }])))
      return found.map(factsOf)
    },

    async byIds(instanceIds) {
      const found: Instance[] = []
      // A filter, since an id that EC2 does not know would fail a request by InstanceIds as a whole.
      for (const values of slices(instanceIds))
        found.push(...(await describe([{ Name: 'instance-id', Values: values }])))
      return found.map(factsOf)
    },

    async byAddress(host) {
      const address = canonicalHost(host) ?? host
      for (const filter of addressFilters(address)) {
        const found = await describe([
          { Name: filter, Values: [address] },
          { Name: 'instance-state-name', Values: ['pending', 'running'] },
        ])
        if (found.length > 0) return found.map(factsOf)
      }
      return []
    },
  }
}

function slices(values: readonly string[]): string[][] {
  const found: string[][] = []
  for (let from = 0; from < values.length; from += filterValues)
    found.push(values.slice(from, from + filterValues))
  return found
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
  const group = tag(groupTag)
  const zone = instance.Placement?.AvailabilityZone
  return {
    instanceId: InstanceId,
    launchedAt: LaunchTime.getTime(),
    state: State.Name,
    addresses: addressesOf(instance),
    taggedDestinations: (tag(destinationTag) ?? '').split(/\s+/).filter(Boolean),
    ...(group !== undefined && { group }),
    ...(zone !== undefined && { zone }),
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
