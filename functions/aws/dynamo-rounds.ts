import type { EdgeReading, Round } from '../control/round.ts'
import type { Clock, Store } from '../use-cases/ports.ts'
import type { DynamoTable, Key } from './dynamo-table.ts'
import { inParallel } from './in-parallel.ts'
import { parseAnswer, readingRow, roundRow } from './rows.ts'

/** Far longer than any round is read. */
const readingSeconds = 3600
const latest: Key = { pk: 'ROUND', sk: 'LATEST' }

/**
 * A round is a row per edge, so that none comes near DynamoDB's 400 KB (500 drains at once make some 200 KB an edge), and
 * a pointer to the latest, written when all of them are there.
 */
export function dynamoRounds(table: DynamoTable, clock: Clock): Pick<Store, 'latestRound' | 'putRound'> {
  // A round never changes: a function that stays warm reads its 5 MB (50 edges, 500 drains) once, not for every drain.
  let last: Round | undefined
  return {
    async latestRound() {
      const pointer = await table.get(latest)
      if (pointer === undefined) return undefined
      const round = parseAnswer(roundRow, pointer, 'ROUND/LATEST')
      if (last?.id === round.id) return last
      const rows = await table.query(`ROUND#${round.id}`)
      const readings = new Map<string, EdgeReading>()
      for (const data of rows) {
        const reading = parseAnswer(readingRow, data, `ROUND#${round.id}`)
        readings.set(reading.edge, reading)
      }
      const edges = round.edges.flatMap((edge) => readings.get(edge) ?? [])
      // Some have expired: half a round must not pass for one in which those edges don't exist.
      last = edges.length === round.edges.length ? { ...round, edges } : undefined
      return last
    },
    async putRound(round) {
      const expiresAt = Math.ceil(clock.now() / 1000) + readingSeconds
      await inParallel(round.edges, (reading) =>
        table.write({ put: { pk: `ROUND#${round.id}`, sk: reading.edge, data: reading, expiresAt } }),
      )
      await table.write({
        put: { ...latest, data: { ...round, edges: round.edges.map((reading) => reading.edge) } },
        condition: {
          expression: 'attribute_not_exists(pk) OR #startedAt <= :startedAt',
          values: { startedAt: round.startedAt },
        },
      })
    },
  }
}
