import * as z from 'zod'
import { UnexpectedAnswer } from '../control/errors.ts'
import { highestGeneration } from '../control/generation.ts'
import type { EdgeHead } from '../control/reading.ts'
import type { Store } from '../ports/store.ts'
import type { Condition, DynamoTable, Key, Write } from './dynamo-table.ts'
import { edgeLeaseRow } from './edge-rows.ts'
import { parseAnswer } from './rows.ts'

/** Lambda ends every run by then: nobody has a lease for longer. */
export const longestRunMs = 15 * 60_000

/** As long as a command's outcome. */
const leaseSeconds = 14 * 86_400

/**
 * Edges' leases with their heads: what writes a head is conditional on the lease in the same item. So many
 * partitions that 500 settles, which all want the same 50 leases at once, find no partition's limit; few
 * enough to be queried for each look.
 */
export const edgesPartitions = Array.from({ length: 10 }, (_, n) => `EDGES#${n}`)

function partitionOf(edge: string): string {
  const hash = [...edge].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 0)
  return `EDGES#${hash % edgesPartitions.length}`
}

/** Of an edge, or of something else that one run at a time does: its name has a slash in front. */
export function leaseKey(name: string): Key {
  return name.startsWith('/') ? { pk: `LEASE#${name}`, sk: 'LEASE' } : { pk: partitionOf(name), sk: name }
}
export function leaseName(name: string): string {
  const { pk, sk } = leaseKey(name)
  return `${pk}/${sk}`
}
export const noLease = { owner: '', until: 0, generation: 0 } as const
/** The successor's generation has to be one that an edge takes. */
function takable(latest: number) {
  return edgeLeaseRow.extend({
    until: z.number().max(latest),
    generation: z.int().min(0).max(highestGeneration),
  })
}
/** Of a lease with whatever in it: nobody has written it since. */
function asItIs(data: Readonly<Record<string, unknown>>): Condition {
  const names = ['owner', 'until', 'generation']
  const parts = names.map((name) =>
    data[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :${name}`,
  )
  const values = names.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]] as const]))
  return { expression: parts.join(' AND '), values: Object.fromEntries(values) }
}
type Lease = z.output<typeof edgeLeaseRow>
/** Only while nobody else has taken it since it was read. */
function takeover(name: string, before: Lease, next: Lease): Write {
  const expression = '#generation = :before AND #until = :until'
  const values = { before: before.generation, until: before.until }
  return { update: leaseKey(name), set: next, condition: { expression, values } }
}
function firstLease(name: string, next: Lease, now: number): Write {
  // A command's is never taken again once its outcome is forgotten; another's begins anew.
  const expires = name.startsWith('/') && { expiresAt: Math.ceil(now / 1000) + leaseSeconds }
  return {
    put: { ...leaseKey(name), data: next, ...expires },
    condition: { expression: 'attribute_not_exists(pk)' },
  }
}
/** Of a lease: it has this generation still. */
export function under(generation: number): Condition {
  return { expression: '#generation = :generation', values: { generation } }
}

type Leases = Pick<Store, 'takeEdge' | 'extendEdge' | 'raiseGeneration' | 'giveUpEdge'>

/** One writer per edge: its lease with the generation. */
export function dynamoLeases(table: DynamoTable): Leases {
  const lease = async (name: string) => {
    const data = await table.get(leaseKey(name))
    return data === undefined ? undefined : parseAnswer(edgeLeaseRow, data, leaseName(name))
  }
  /**
   * @throws UnexpectedAnswer for one that can't be read, or that nobody can have; later on it can be taken
   */
  const leaseToTake = async (name: string, now: number) => {
    const data = await table.get(leaseKey(name))
    if (data === undefined) return undefined
    try {
      return parseAnswer(takable(now + longestRunMs), data, leaseName(name))
    } catch (error) {
      if (error instanceof UnexpectedAnswer) await replace(table, name, data, now, error.message)
      throw error
    }
  }

  return {
    async takeEdge(edge, owner, now, until) {
      const before = await leaseToTake(edge, now)
      if (before && before.until > now) return undefined
      const generation = (before?.generation ?? 0) + 1
      const next = { owner, until, generation }
      const taken = await table.write(before ? takeover(edge, before, next) : firstLease(edge, next, now))
      if (taken) return generation
      // The SDK repeats a request whose answer was lost: the lease that it finds then is our own.
      const found = await lease(edge)
      return found?.owner === owner && found.generation === generation ? generation : undefined
    },
    async raiseGeneration(edge, generation, above) {
      const raised = await table.write({
        update: leaseKey(edge),
        set: { generation: above + 1 },
        condition: under(generation),
      })
      return raised ? above + 1 : undefined
    },
    async extendEdge(edge, generation, until) {
      const extended = await table.write({
        update: leaseKey(edge),
        set: { until },
        condition: under(generation),
      })
      return extended ? 'written' : 'lost'
    },
    async giveUpEdge(edge, generation, until) {
      await table.write({
        update: leaseKey(edge),
        set: { owner: '', until },
        condition: under(generation),
      })
    },
  }
}

/**
 * A run may be at work under it: it is had until none can be. The time, as its generation, is above whatever
 * was counted.
 */
async function replace(
  table: DynamoTable,
  name: string,
  data: unknown,
  now: number,
  reason: string,
): Promise<void> {
  const known = z.looseObject({}).catch({}).parse(data)
  // Until then nobody can read the edge, and who waits for it gets the reason.
  const unreadable = { since: now, at: now, reason, passes: true }
  const head: EdgeHead = { edge: name, wanted: -1, askedAt: 0, unreadable }
  const lease = { owner: '', until: now + longestRunMs, generation: Math.floor(now) }
  await table.write({
    put: { ...leaseKey(name), data: name.startsWith('/') ? lease : { ...lease, head } },
    condition: asItIs(known),
  })
}
