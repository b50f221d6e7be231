import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { destinationUri, type ListedDestination } from '../../functions/control/destination.ts'
import { mayBelong } from '../../functions/control/edge-list.ts'
import { EdgeError } from '../../functions/control/errors.ts'
import { lookup } from '../../functions/control/listing.ts'
import { instanceDestinations } from '../../functions/control/resolve.ts'
import { dispatcherList, type ListedTargets } from '../../functions/kamailio/dispatcher-list.ts'
import { resultOf } from '../../functions/kamailio/rpc-faults.ts'
import { edgeRecordingsOf, edgeReleases } from './edge-recordings.ts'
import { below, type Json, mutate, mutateText, oneOf, type Random, seeded } from './mutations.ts'
import { recordingsOf, releases } from './recordings.ts'

const instance = {
  instanceId: 'i-0123456789abcdef0',
  addresses: ['10.9.8.7', 'fd00::9:8:7'],
  taggedDestinations: [],
}
/**
 * Of that instance: by its address, by its IPv6 address in another spelling, by its id, by what its name was
 * resolved to.
 */
const planted: readonly { readonly [key: string]: Json }[] = [
  { URI: 'sip:10.9.8.7:5060', FLAGS: 'AX', PRIORITY: 0 },
  {
    URI: 'SIP:10.9.8.7:5070;transport=tcp',
    FLAGS: 'DP',
    IUID: 'dspt-1-1-1-1',
    ATTRS: { BODY: '', DUID: 'ms-planted' },
  },
  { URI: 'sip:[FD00:0::9:8:7]', FLAGS: 'IN', PRIORITY: 9, RUNTIME: { DLGLOAD: 3 } },
  { URI: 'sips:name.example', FLAGS: 'TX', ATTRS: { BODY: null, DUID: instance.instanceId } },
  {
    URI: 'sip:planted.example:5060',
    FLAGS: 'AP',
    HOST: 'planted.example',
    IPADDR: '10.9.8.7',
    PORT: 5060,
    ATTRS: { DUID: null },
  },
]
/** Accepted by Kamailio, or nearly the instance's. */
const odd: readonly string[] = [
  ...[
    'sip:127.0.62.1:0',
    'sip:127.0.62.1:',
    'sip:*.invalid',
    'tel:+123',
    'sip:127.0.62.1;x="q"',
    'SIP:127.0.62.1',
    'all',
  ],
  ...[
    'sip:10.9.8.7:0',
    'sip:10.9.8.7:',
    'sip:10.9.8.7:65536',
    'sip:10.9.8.70',
    'sip:110.9.8.7',
    'sip:10.9.8.7.example',
  ],
  ...[
    'sip:10.9.8.7@10.1.1.1',
    'sip:10.1.1.1;maddr=10.9.8.7',
    'sip:10.9.8.7;x="q"',
    'tel:10.9.8.7',
    'sip:10.9.8',
    'sip:',
  ],
  ...[
    'sip:user@10.9.8.7',
    'sip:10.9.8.7?a=b',
    'sip:10.9.8.7.',
    'sips:10.9.8.7:1',
    'sip:[fd00::9:8:70]',
    'sip:[fd00::9:8:7',
    ' sip:10.9.8.7',
  ],
]
const special: Readonly<Record<string, readonly Json[]>> = {
  URI: odd,
  FLAGS: ['AX', 'DX', 'IP', 'TN', 'A', 'XX', 'AXX', 'ax', '', 7],
  ID: [0, 1, 77, '1', -1, 1.5, 2 ** 60, null],
  DUID: ['i-0123456789abcdef', `${instance.instanceId}0`, instance.instanceId.toUpperCase(), '', null, 7],
  IPADDR: ['10.9.8.70', '', null, '10.9.8.7 ', '::', 7, 'fd00::9:8:70'],
  DLGLOAD: [-1, 1.5, '3', 0, 7, null],
}

/** Real replies: normal, short and in full, of all releases, those with odd entries and names among them. */
const replies = [
  ...releases.flatMap((release) => recordingsOf(release)),
  ...edgeReleases.flatMap((release) => edgeRecordingsOf(release)),
].flatMap(({ name, response }) =>
  /^dispatcher\.list(\.odd|\.noping|\.with_load)?(\.short|\.full)?$/.test(name) && response
    ? [response.body]
    : [],
)

/** What of an entry can name a machine, read without our code. */
const raw = z.object({
  DEST: z.object({
    URI: z.string(),
    IPADDR: z.string().optional().catch(undefined),
    ATTRS: z
      .object({ DUID: z.string().optional().catch(undefined) })
      .optional()
      .catch(undefined),
  }),
})
const rawSet = z.object({ SET: z.object({ ID: z.int().min(0), TARGETS: z.array(z.unknown()) }) })
const rawList = z.object({ RECORDS: z.array(z.unknown()) })

function entriesOf(value: unknown): {
  readonly all: number
  readonly named: readonly z.output<typeof raw>[]
} {
  const found = rawList.safeParse(value)
  const entries = (found.success ? found.data.RECORDS : []).flatMap((record) => {
    const set = rawSet.safeParse(record)
    return set.success ? set.data.SET.TARGETS : [record]
  })
  return { all: entries.length, named: entries.flatMap((entry) => raw.safeParse(entry).data ?? []) }
}

function namesInstance({ DEST }: z.output<typeof raw>): boolean {
  const [, rest = ''] = /^sips?:(.*)$/is.exec(DEST.URI) ?? []
  const host = rest.replace(/^[^@]*@/, '').toLowerCase()
  return (
    /^10\.9\.8\.7\.?([:;?]|$)/.test(host) ||
    /^\[fd00:(0+:)*:?(0+:)*0*9:0*8:0*7\]/.test(host) ||
    /^(10\.9\.8\.7|fd00::9:8:7)$/.test(DEST.IPADDR ?? '') ||
    DEST.ATTRS?.DUID === instance.instanceId
  )
}

/** Opaque by its port, flags or scheme, and with a whole address that only resembles the instance's. */
const isOfAnother = /^(sips?|tel):(10\.9\.8\.70|110\.9\.8\.7|10\.9\.8|127\.0\.62\.1)(:\d*)?$/

/**
 * @throws unless every planted entry is found, nobody else's is taken for the instance's, and no entry is
 * lost
 */
function check({ targets, opaque }: ListedTargets, value: unknown, expected: readonly ListedDestination[]) {
  const destinations = targets.map(({ destination }) => destination)
  const { all, named } = entriesOf(value)
  if (targets.length + opaque.length !== all)
    throw new Error(`${targets.length} and ${opaque.length} of ${all} entries`)
  const really = new Set(named.filter(namesInstance).map(({ DEST }) => DEST.URI))
  const resolved = instanceDestinations(instance, destinations)
  const scope = {
    uris: resolved,
    addresses: instance.addresses,
    wholeInstance: true,
    subject: { kind: 'instance', instanceId: instance.instanceId, launchedAt: 0 } as const,
  }
  for (const uri of [...resolved, ...lookup(destinations)(scope).map((entry) => entry.uri)])
    if (!really.has(uri) && !isSameAsReal(uri, really)) throw new Error(`${uri} is not of the instance`)
  for (const wanted of expected)
    if (!resolved.includes(wanted.uri) || !destinations.some((entry) => isSame(entry, wanted)))
      throw new Error(`${wanted.uri} in set ${wanted.set} is not found`)
  for (const entry of opaque) {
    if (entry.text.length > 200) throw new Error('an opaque entry is shown at length')
    const shows = /(^|[^\w.-])10\.9\.8\.7($|[^\w.-])/.test(entry.text)
    if (shows && !mayBelong(entry, instance)) throw new Error(`${entry.text} may belong`)
    const isNamed = entry.set === undefined || entry.duid === instance.instanceId
    if (!isNamed && isOfAnother.test(entry.text) && mayBelong({ ...entry, address: '10.9.8.70' }, instance))
      throw new Error(`${entry.text} is another's`)
    if (!mayBelong({ ...entry, address: '10.9.8.7' }, instance)) throw new Error(`${entry.text} is resolved`)
  }
  return { resolved: resolved.length, opaque: opaque.length }
}

/** An entry elsewhere is the same destination in another spelling. */
function isSameAsReal(uri: string, really: ReadonlySet<string>): boolean {
  return [...really].some((real) => real.toLowerCase() === uri.toLowerCase())
}

function isSame(entry: ListedDestination, wanted: ListedDestination): boolean {
  return (
    entry.uri === wanted.uri &&
    entry.set === wanted.set &&
    entry.flags === wanted.flags &&
    entry.duid === wanted.duid
  )
}

const flagsOf = z.enum(['AX', 'DP', 'IN', 'TX', 'AP'])
function listed(dest: { readonly [key: string]: Json }, set: number): ListedDestination {
  const uri = destinationUri(String(dest['URI']))
  if (!uri) throw new Error('what is planted can be read')
  const duid = z.object({ ATTRS: z.object({ DUID: z.string() }) }).safeParse(dest).data?.ATTRS.DUID
  return { uri, set, flags: flagsOf.parse(dest['FLAGS']), ...(duid !== undefined && { duid }) }
}

/**
 * Puts some of the planted entries between the others, or into a set of their own.
 * @returns what is to be found
 */
function plant(random: Random, records: Json[]): ListedDestination[] {
  const open = records.flatMap((record) => {
    const id = rawSet.safeParse(record).data?.SET.ID
    const set = z.object({ SET: z.object({ TARGETS: z.custom<Json[]>(Array.isArray) }) }).safeParse(record)
      .data?.SET
    return id !== undefined && set ? [{ set: id, targets: set.TARGETS }] : []
  })
  return planted.flatMap((dest) => {
    if (random() < 0.4) return []
    const entry: Json = { DEST: structuredClone({ ...dest }) }
    if (open.length === 0 || random() < 0.3) {
      records.splice(below(random, records.length + 1), 0, { SET: { ID: 77, TARGETS: [entry] } })
      return [listed(dest, 77)]
    }
    const { set, targets } = oneOf(random, open)
    targets.splice(below(random, targets.length + 1), 0, entry)
    return [listed(dest, set)]
  })
}

const value = z.object({ result: z.object({ RECORDS: z.custom<Json[]>(Array.isArray) }) })

describe('a list that somebody has damaged', () => {
  test.each([8, 10])('harms nobody: 35,000 changes of its structure (seed %i)', (seed) => {
    const random = seeded(seed)
    const sum = { planted: 0, opaque: 0 }
    for (let run = 0; run < 35_000; run += 1) {
      const { result } = value.parse(JSON.parse(oneOf(random, replies)))
      for (let changes = 1 + below(random, 4); changes > 0; changes -= 1)
        mutate(random, result.RECORDS, special)
      const expected = plant(random, result.RECORDS)
      const found = check(dispatcherList.parse(result), result, expected)
      sum.planted += expected.length
      sum.opaque += found.opaque
    }
    // Otherwise it has shown nothing.
    expect(sum.planted).toBeGreaterThan(50_000)
    expect(sum.opaque).toBeGreaterThan(10_000)
  })

  test('harms nobody: 30,000 changes of its text, in the reply', () => {
    const random = seeded(9)
    const sum = { read: 0, opaque: 0 }
    for (let run = 0; run < 30_000; run += 1) {
      const own: Json[] = []
      const expected = plant(random, own)
      let body = oneOf(random, replies)
      for (let changes = 1 + below(random, 3); changes > 0; changes -= 1) body = mutateText(random, body)
      const text = JSON.stringify(own).slice(1, -1)
      body = body.replace('"RECORDS":[', (start) => (text === '' ? start : `${start}${text},`))
      const read = listIn(body)
      if (read === undefined) continue
      const found = check(read.list, read.result, body.includes(text) ? expected : [])
      sum.read += 1
      sum.opaque += found.opaque
    }
    expect(sum.read).toBeGreaterThan(5000)
    expect(sum.opaque).toBeGreaterThan(1000)
  })
})

/** @returns undefined where the reply is no list at all, which is an EdgeError and no other */
function listIn(body: string): { readonly list: ListedTargets; readonly result: unknown } | undefined {
  try {
    const result = resultOf('edge-a', { method: 'dispatcher.list', id: 1 }, { status: 200, body })
    const { data } = dispatcherList.safeParse(result)
    return data && { list: data, result }
  } catch (error) {
    if (error instanceof EdgeError) return undefined
    throw error
  }
}
