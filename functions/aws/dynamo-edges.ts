import { gunzipSync, gzipSync } from 'node:zlib'
import type { EdgeRecord } from '../control/entry-record.ts'
import type { Store } from '../use-cases/ports.ts'
import type { Condition, DynamoTable, Key, Write } from './dynamo-table.ts'
import { edgeLeaseRow, edgeRecordsRow, formerFlagsRow, settledRow, wantedRow } from './edge-rows.ts'
import { inParallel } from './in-parallel.ts'
import { holdRow, packedRow, parseAnswer } from './rows.ts'

const counter: Key = { pk: 'WANTED', sk: 'COUNTER' }
const keyOf = (edge: string, sk: 'LEASE' | 'RECORDS' | 'SETTLED'): Key => ({ pk: `EDGE#${edge}`, sk })
const under = (generation: number): Condition => ({
  expression: '#generation = :generation',
  values: { generation },
})

type Edges = Pick<
  Store,
  | 'raiseWanted'
  | 'wanted'
  | 'takeEdge'
  | 'raiseGeneration'
  | 'giveUpEdge'
  | 'edgeRecords'
  | 'putEdgeRecords'
  | 'settled'
  | 'putSettled'
>

/**
 * One writer per edge: its lease with the generation, what is on record of it, and what was found on it last, an item each. The latter two
 * are packed (500 drains are 138 KB, 8 KB packed) and written in a transaction that checks the lease: a condition on the item itself would
 * let a run that has lost its lease write after its successor has read.
 */
export function dynamoEdges(table: DynamoTable): Edges {
  const lease = async (edge: string) => {
    const data = await table.get(keyOf(edge, 'LEASE'))
    return data === undefined ? undefined : parseAnswer(edgeLeaseRow, data, `EDGE#${edge}`)
  }
  async function read(edge: string, sk: 'RECORDS' | 'SETTLED'): Promise<unknown> {
    const data = await table.get(keyOf(edge, sk))
    return data === undefined ? undefined : unpacked(data, `EDGE#${edge}/${sk}`)
  }
  async function put(edge: string, sk: 'RECORDS' | 'SETTLED', generation: number, value: unknown) {
    const writes: Write[] = [
      { put: { ...keyOf(edge, sk), data: packed(sk, value) } },
      { check: keyOf(edge, 'LEASE'), condition: under(generation) },
    ]
    return (await table.writeAll(writes)) ? ('written' as const) : ('lost' as const)
  }

  return {
    raiseWanted: () => table.add(counter, 'value'),
    async wanted() {
      const data = await table.get(counter)
      return data === undefined ? 0 : parseAnswer(wantedRow, data, 'WANTED').value
    },

    async takeEdge(edge, owner, now, until) {
      const before = await lease(edge)
      if (before && before.until > now) return undefined
      const generation = (before?.generation ?? 0) + 1
      const taken = await table.write({
        put: { ...keyOf(edge, 'LEASE'), data: { owner, until, generation } },
        condition: before
          ? {
              expression: '#generation = :before AND #until = :until',
              values: { before: before.generation, until: before.until },
            }
          : { expression: 'attribute_not_exists(pk)' },
      })
      if (taken) return generation
      // The SDK repeats a request whose answer was lost: the lease that it finds then is our own.
      const found = await lease(edge)
      return found?.owner === owner && found.generation === generation ? generation : undefined
    },
    async raiseGeneration(edge, generation, above) {
      const before = await lease(edge)
      if (before?.generation !== generation) return undefined
      const raised = await table.write({
        put: { ...keyOf(edge, 'LEASE'), data: { ...before, generation: above + 1 } },
        condition: under(generation),
      })
      return raised ? above + 1 : undefined
    },
    async giveUpEdge(edge, generation, until) {
      await table.write({
        put: { ...keyOf(edge, 'LEASE'), data: { owner: '', until, generation } },
        condition: under(generation),
      })
    },

    async edgeRecords(edge) {
      const value = await read(edge, 'RECORDS')
      return value === undefined
        ? formerRecords(table, edge)
        : parseAnswer(edgeRecordsRow, value, `EDGE#${edge}/RECORDS`)
    },
    putEdgeRecords: (edge, generation, records) => put(edge, 'RECORDS', generation, records),
    async settled(edge) {
      const value = await read(edge, 'SETTLED')
      return value === undefined ? undefined : parseAnswer(settledRow, value, `EDGE#${edge}/SETTLED`)
    },
    putSettled: (generation, settled) => put(settled.edge, 'SETTLED', generation, settled),
  }
}

/**
 * What a release before 0.2 had on record of an edge: rows by URI, for what its holds name, lifted or not. `sent: 0` has a `D` count as
 * ours, as it did there.
 */
async function formerRecords(table: DynamoTable, edge: string): Promise<EdgeRecord[] | undefined> {
  const holds = (await table.query('HOLDS')).map((data) => parseAnswer(holdRow, data, 'HOLDS'))
  const uris = [...new Set(holds.flatMap((hold) => hold.uris))]
  const rows = (await inParallel(uris, (uri) => table.query(`FORMER#${uri}`)))
    .flat()
    .map((data) => parseAnswer(formerFlagsRow, data, 'FORMER'))
    .filter((row) => row.edge === edge)
  if (rows.length === 0) return undefined
  return [
    ...uris.map((uri) => ({ kind: 'guard', uri }) as const),
    ...rows.map(({ edge: _, ...row }) => ({ kind: 'entry', ...row, identity: '', sent: 0 }) as const),
  ]
}

function packed(sk: string, value: unknown) {
  return { sk, gzip: new Uint8Array(gzipSync(JSON.stringify(value))) }
}

function unpacked(data: unknown, key: string): unknown {
  const { gzip } = parseAnswer(packedRow, data, key)
  return JSON.parse(gunzipSync(gzip).toString())
}
