import { gunzipSync, gzipSync } from 'node:zlib'
import type * as z from 'zod'
import type { EdgeReading, Round } from '../control/round.ts'
import type { Clock, Store } from '../use-cases/ports.ts'
import type { DynamoTable, Key } from './dynamo-table.ts'
import { inParallel } from './in-parallel.ts'
import { packedRow, parseAnswer, readingRow, roundPointer, roundRow } from './rows.ts'

/** Far longer than any round is read. */
const readingSeconds = 3600
/** The number is that of the rows' form: functions of another release don't read each other's. */
const latest: Key = { pk: 'ROUND', sk: 'LATEST/2' }
/** No edge's id has a slash. */
const head = '/'

/**
 * A round is a row per edge and one for the rest, packed, and a pointer to the latest, written when all of them are there. 500
 * drains at once make 5 MB on 50 edges, most of it keys that come again and again: as they are they would be ten seconds of what one partition
 * may write.
 */
export function dynamoRounds(table: DynamoTable, clock: Clock): Pick<Store, 'latestRound' | 'putRound'> {
  // A round never changes: a function that stays warm reads it once, not for every drain.
  let last: Round | undefined
  return {
    async latestRound() {
      const pointer = await table.get(latest)
      if (pointer === undefined) return undefined
      const { id } = parseAnswer(roundPointer, pointer, 'ROUND/LATEST')
      if (last?.id === id) return last
      const rows = (await table.query(`ROUND#${id}`)).map((data) => unpacked(data, `ROUND#${id}`))
      const readings = new Map<string, EdgeReading>()
      let round: z.output<typeof roundRow> | undefined
      for (const { sk, value } of rows) {
        if (sk === head) round = parseAnswer(roundRow, value, `ROUND#${id}`)
        else readings.set(sk, parseAnswer(readingRow, value, `ROUND#${id}`))
      }
      const edges = round?.edges.flatMap((edge) => readings.get(edge) ?? [])
      // Some have expired: half a round must not pass for one in which those edges don't exist.
      last = round && edges?.length === round.edges.length ? { ...round, edges } : undefined
      return last
    },
    async putRound(round) {
      const expiresAt = Math.ceil(clock.now() / 1000) + readingSeconds
      const pk = `ROUND#${round.id}`
      const rest = { ...round, edges: round.edges.map((reading) => reading.edge) }
      await inParallel(
        [[head, rest] as const, ...round.edges.map((reading) => [reading.edge, reading] as const)],
        ([sk, value]) => table.write({ put: { pk, sk, data: packed(sk, value), expiresAt } }),
      )
      await table.write({
        put: { ...latest, data: { id: round.id, startedAt: round.startedAt } },
        condition: {
          expression: 'attribute_not_exists(pk) OR #startedAt <= :startedAt',
          values: { startedAt: round.startedAt },
        },
      })
    },
  }
}

function packed(sk: string, value: unknown): z.output<typeof packedRow> {
  return { sk, gzip: new Uint8Array(gzipSync(JSON.stringify(value))) }
}

function unpacked(data: unknown, key: string): { readonly sk: string; readonly value: unknown } {
  const { sk, gzip } = parseAnswer(packedRow, data, key)
  return { sk, value: JSON.parse(gunzipSync(gzip).toString()) }
}
