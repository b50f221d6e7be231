import type { EdgeRecord } from '../control/entry-record.ts'
import type { Store } from '../ports/store.ts'
import { leaseKey, under } from './dynamo-leases.ts'
import type { DynamoTable, Key } from './dynamo-table.ts'
import { edgeRecordsRow, formerFlagsRow, toEdgeRecordsRow, wantedRow } from './edge-rows.ts'
import { inParallel } from './in-parallel.ts'
import { gzipped, unpacked } from './packed.ts'
import { holdRow, parseAnswer } from './rows.ts'

const counter: Key = { pk: 'WANTED', sk: 'COUNTER' }

export function edgeKey(edge: string, sk: 'RECORDS' | 'READING' | 'LISTING'): Key {
  return { pk: `EDGE#${edge}`, sk }
}
type Edges = Pick<Store, 'raiseWanted' | 'wanted' | 'edgeRecords' | 'putEdgeRecords'>

/**
 * The counter of what is wanted, and what is on record of an edge, packed. Records are written in a
 * transaction that checks the lease: a condition on the item itself would let a run that has lost its lease
 * write after its successor has read.
 */
export function dynamoEdges(table: DynamoTable): Edges {
  return {
    raiseWanted: () => table.add(counter, 'value'),
    async wanted() {
      const data = await table.get(counter)
      return data === undefined ? 0 : parseAnswer(wantedRow, data, 'WANTED').value
    },

    async edgeRecords(edge) {
      const data = await table.get(edgeKey(edge, 'RECORDS'))
      return data === undefined
        ? formerRecords(table, edge)
        : unpacked(edgeRecordsRow, data, `EDGE#${edge}/RECORDS`)
    },
    async putEdgeRecords(edge, generation, records) {
      const written = await table.writeAll([
        { put: { ...edgeKey(edge, 'RECORDS'), data: gzipped('RECORDS', toEdgeRecordsRow(records)) } },
        { check: leaseKey(edge), condition: under(generation) },
      ])
      return written ? 'written' : 'lost'
    },
  }
}

/**
 * What a release before 0.2 had on record of an edge: rows by URI, for what its holds name, lifted or not.
 * `sent: 0` has a `D` count as ours, as it did there.
 */
async function formerRecords(table: DynamoTable, edge: string): Promise<EdgeRecord[] | undefined> {
  const holds = (await table.query('HOLDS')).map(({ data }) => parseAnswer(holdRow, data, 'HOLDS'))
  const uris = [...new Set(holds.flatMap((hold) => hold.uris))]
  const rows = (await inParallel(uris, (uri) => table.query(`FORMER#${uri}`)))
    .flat()
    .map(({ data }) => parseAnswer(formerFlagsRow, data, 'FORMER'))
    .filter((row) => row.edge === edge)
  if (rows.length === 0) return undefined
  return [
    ...uris.map((uri) => ({ kind: 'guard', uri }) as const),
    ...rows.map(({ edge: _, ...row }) => ({ kind: 'entry', ...row, identity: '', sent: 0 }) as const),
  ]
}
