import type { EdgeRecord } from '../control/entry-record.ts'
import type { Store } from '../use-cases/ports.ts'
import type { Condition, DynamoTable, Key } from './dynamo-table.ts'
import { edgeLeaseRow, edgeRecordsRow, formerFlagsRow, wantedRow } from './edge-rows.ts'
import { inParallel } from './in-parallel.ts'
import { packed, unpacked } from './packed.ts'
import { holdRow, parseAnswer } from './rows.ts'

const counter: Key = { pk: 'WANTED', sk: 'COUNTER' }

export function edgeKey(edge: string, sk: 'LEASE' | 'RECORDS' | 'READING' | 'LISTING'): Key {
  return { pk: `EDGE#${edge}`, sk }
}
/** Of the `LEASE` row: it has this generation still. */
export function under(generation: number): Condition {
  return { expression: '#generation = :generation', values: { generation } }
}

type Edges = Pick<
  Store,
  | 'raiseWanted'
  | 'wanted'
  | 'takeEdge'
  | 'extendEdge'
  | 'raiseGeneration'
  | 'giveUpEdge'
  | 'edgeRecords'
  | 'putEdgeRecords'
>

/**
 * One writer per edge: its lease with the generation, and what is on record of it, packed. Records are written in a transaction that
 * checks the lease: a condition on the item itself would let a run that has lost its lease write after its successor has read.
 */
export function dynamoEdges(table: DynamoTable): Edges {
  const lease = async (edge: string) => {
    const data = await table.get(edgeKey(edge, 'LEASE'))
    return data === undefined ? undefined : parseAnswer(edgeLeaseRow, data, `EDGE#${edge}`)
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
        put: { ...edgeKey(edge, 'LEASE'), data: { owner, until, generation } },
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
        put: { ...edgeKey(edge, 'LEASE'), data: { ...before, generation: above + 1 } },
        condition: under(generation),
      })
      return raised ? above + 1 : undefined
    },
    async extendEdge(edge, owner, generation, until) {
      const extended = await table.write({
        put: { ...edgeKey(edge, 'LEASE'), data: { owner, until, generation } },
        condition: under(generation),
      })
      return extended ? 'written' : 'lost'
    },
    async giveUpEdge(edge, generation, until) {
      await table.write({
        put: { ...edgeKey(edge, 'LEASE'), data: { owner: '', until, generation } },
        condition: under(generation),
      })
    },

    async edgeRecords(edge) {
      const data = await table.get(edgeKey(edge, 'RECORDS'))
      return data === undefined
        ? formerRecords(table, edge)
        : unpacked(edgeRecordsRow, data, `EDGE#${edge}/RECORDS`)
    },
    async putEdgeRecords(edge, generation, records) {
      const written = await table.writeAll([
        { put: { ...edgeKey(edge, 'RECORDS'), data: packed('RECORDS', records) } },
        { check: edgeKey(edge, 'LEASE'), condition: under(generation) },
      ])
      return written ? 'written' : 'lost'
    },
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
