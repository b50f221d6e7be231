import * as z from 'zod'
import { type EdgeParameter, edgeParameter } from '../contracts/config.ts'
import { createDynamoTable, type DynamoTableOptions } from './dynamo-table.ts'
import { parseAnswer } from './rows.ts'

/** The last list of edges that was good, for functions that start while the one in SSM is not. */
export interface LastGoodEdges {
  read(): Promise<ReadonlyMap<string, EdgeParameter> | undefined>
  write(edges: ReadonlyMap<string, EdgeParameter>): Promise<void>
}

const key = { pk: 'FLEET', sk: 'LAST_GOOD' }
const row = z.record(z.string(), edgeParameter)

/** In the one table, as row `FLEET`, `LAST_GOOD`. */
export function createLastGoodEdges(options: DynamoTableOptions): LastGoodEdges {
  const table = createDynamoTable(options)
  return {
    async read() {
      const data = await table.get(key)
      return data === undefined ? undefined : new Map(Object.entries(parseAnswer(row, data, key.pk)))
    },
    async write(edges) {
      await table.write({ put: { ...key, data: Object.fromEntries(edges) } })
    },
  }
}
