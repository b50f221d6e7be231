import type { Groups } from './auto-scaling-groups.ts'
import { ApiError, ec2Answers, type Parameters, type QueryApi, type Xml } from './auto-scaling-query.ts'
import type { Ec2State, Instance } from './auto-scaling-types.ts'

const stateCodes: Record<Ec2State, number> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
}

/** EC2's filters that the simulator knows; each gives the values of an instance that it compares. */
const filters: Record<string, (instance: Instance) => readonly (string | undefined)[]> = {
  'instance-id': ({ id }) => [id],
  'instance-state-name': ({ ec2State }) => [ec2State],
  'private-ip-address': ({ privateIp }) => [privateIp],
  'network-interface.addresses.private-ip-address': ({ privateIp, secondaryIps }) => [
    privateIp,
    ...secondaryIps,
  ],
  'ip-address': ({ publicIp }) => [publicIp],
  'network-interface.addresses.association.public-ip': ({ publicIp }) => [publicIp],
  'ipv6-address': ({ ipv6 }) => [ipv6],
  'network-interface.ipv6-addresses.ipv6-address': ({ ipv6 }) => [ipv6],
  'private-dns-name': ({ privateDnsName }) => [privateDnsName],
  // no instance of the simulator has a public DNS name
  'dns-name': () => [],
  'tag-key': ({ tags }) => Object.keys(tags),
}

/** The calls of EC2 (2016-11-15) that a control plane makes. Answers come on one page. */
export function ec2Api(accountId: string, region: string, groups: Groups): QueryApi {
  return {
    ...ec2Answers,
    call: (action, parameters) => {
      if (action !== 'DescribeInstances')
        throw new ApiError('InvalidAction', `The action ${action} is not valid for this web service.`, 400)
      const found = select(parameters, groups.instances())
      return {
        reservationSet: {
          item: found.map((instance) => ({
            reservationId: instance.id.replace('i-', 'r-'),
            ownerId: accountId,
            instancesSet: { item: [describe(instance, region)] },
          })),
        },
      }
    },
  }
}

function select(parameters: Parameters, instances: readonly Instance[]): readonly Instance[] {
  const ids = parameters.list('InstanceId')
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
  if (malformed !== undefined)
    throw new ApiError('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`, 400)
  const unknown = ids.filter((id) => !instances.some((instance) => instance.id === id))
  if (unknown.length === 1)
    throw new ApiError('InvalidInstanceID.NotFound', `The instance ID '${unknown[0]}' does not exist`, 400)
  if (unknown.length > 1)
    throw new ApiError(
      'InvalidInstanceID.NotFound',
      `The instance IDs '${unknown.join(', ')}' do not exist`,
      400,
    )
  const tests = filtersOf(parameters)
  return instances
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter((instance) => tests.every((test) => test(withoutLostAddresses(instance))))
}

function filtersOf(parameters: Parameters): readonly ((instance: Instance) => boolean)[] {
  const tests: ((instance: Instance) => boolean)[] = []
  for (let n = 1; ; n++) {
    const name = parameters.optional(`Filter.${n}.Name`)
    if (name === undefined) return tests
    const tag = name.startsWith('tag:') ? name.slice('tag:'.length) : undefined
    const valuesOf = tag === undefined ? filters[name] : ({ tags }: Instance) => [tags[tag]]
    if (valuesOf === undefined)
      throw new ApiError('InvalidParameterValue', `The filter '${name}' is invalid`, 400)
    const wanted = parameters.list(`Filter.${n}.Value`)
    tests.push((instance) =>
      valuesOf(instance).some((value) => value !== undefined && wanted.includes(value)),
    )
  }
}

/** A terminated instance keeps its id for about an hour and has no address any more. */
function withoutLostAddresses(instance: Instance): Instance {
  if (instance.ec2State !== 'terminated') return instance
  return {
    ...instance,
    privateIp: '',
    secondaryIps: [],
    ipv6: undefined,
    publicIp: undefined,
    privateDnsName: '',
  }
}

function describe(instance: Instance, region: string): Xml {
  const { privateIp, secondaryIps, ipv6, publicIp, privateDnsName } = withoutLostAddresses(instance)
  const isUp = privateIp !== ''
  return {
    instanceId: instance.id,
    imageId: 'ami-0a1b2c3d4e5f60718',
    instanceState: { code: stateCodes[instance.ec2State], name: instance.ec2State },
    privateDnsName,
    dnsName: '',
    instanceType: 'c7g.large',
    launchTime: instance.launchTime,
    placement: { availabilityZone: `${region}a`, tenancy: 'default' },
    ...(isUp ? { privateIpAddress: privateIp, ipAddress: publicIp, ipv6Address: ipv6 } : {}),
    networkInterfaceSet: isUp ? { item: [networkInterface(privateIp, secondaryIps, ipv6, publicIp)] } : {},
    tagSet: { item: Object.entries(instance.tags).map(([key, value]) => ({ key, value })) },
  }
}

function networkInterface(
  privateIp: string,
  secondaryIps: readonly string[],
  ipv6: string | undefined,
  publicIp: string | undefined,
): Xml {
  return {
    networkInterfaceId: 'eni-0a1b2c3d4e5f60718',
    status: 'in-use',
    privateIpAddress: privateIp,
    privateIpAddressesSet: {
      item: [
        {
          privateIpAddress: privateIp,
          primary: true,
          association: publicIp === undefined ? undefined : { publicIp },
        },
        ...secondaryIps.map((privateIpAddress) => ({ privateIpAddress, primary: false })),
      ],
    },
    ipv6AddressesSet: { item: ipv6 === undefined ? [] : [{ ipv6Address: ipv6 }] },
  }
}
