import { commandInShort } from '../control/command-in-short.ts'
import type { Clock } from '../ports/clock.ts'
import type { CommandOutcomeRow, Store } from '../ports/store.ts'
import { type DynamoTable, expiringFrom, type Key, type Write } from './dynamo-table.ts'
import {
  askedRow,
  commandInShortRow,
  commandPlanRow,
  outcomeRow,
  parseAnswer,
  parseRows,
  pendingOutcomeRow,
} from './rows.ts'

const keptSeconds = 14 * 86_400

const commandKey = (id: string): Key => ({ pk: `COMMAND#${id}`, sk: 'OUTCOME' })
const planKey = (id: string): Key => ({ pk: `COMMAND#${id}`, sk: 'PLAN' })
const askedKey = (id: string): Key => ({ pk: `COMMAND#${id}`, sk: 'ASKED' })
const commandsOf = (day: string) => `COMMANDS#${day}`
const pendingOutcomes = 'PENDING'
const pendingKey = (id: string): Key => ({ pk: pendingOutcomes, sk: id })

type Outcomes = Pick<
  Store,
  | 'commandOutcome'
  | 'commandAsked'
  | 'commands'
  | 'putCommandOutcome'
  | 'putRefusal'
  | 'commandPlan'
  | 'putCommandPlan'
  | 'useCommandPlan'
  | 'pendingOutcomes'
  | 'putPendingOutcome'
  | 'dropPendingOutcome'
>

/** What came of commands, and what is open of it. */
export function dynamoOutcomes(table: DynamoTable, clock: Clock): Outcomes {
  const expiring = expiringFrom(clock)
  /** The row by which it is found without its id. */
  const listed = (id: string, outcome: CommandOutcomeRow): Write => {
    const now = clock.now()
    const pk = commandsOf(new Date(now).toISOString().slice(0, 10))
    const sk = `${String(now).padStart(15, '0')}#${id}`
    return { put: expiring({ pk, sk }, commandInShort(id, now, outcome), keptSeconds) }
  }
  return {
    async commands(day, page) {
      const { rows, next } = await table.newest(commandsOf(day), page)
      const { read: commands, unread } = parseRows(commandInShortRow, rows, commandsOf(day))
      return { commands, unread, ...(next !== undefined && { next }) }
    },
    async commandOutcome(commandId) {
      const data = await table.get(commandKey(commandId))
      return data === undefined ? undefined : parseAnswer(outcomeRow, data, `COMMAND#${commandId}`)
    },
    async putCommandOutcome(commandId, outcome, asks) {
      const put = expiring(commandKey(commandId), outcome, keptSeconds)
      const asked = expiring(askedKey(commandId), asks, keptSeconds)
      await table.writeAll([{ put }, { put: asked }, listed(commandId, outcome)])
    },
    async commandAsked(commandId) {
      const data = await table.get(askedKey(commandId))
      return data === undefined ? undefined : parseAnswer(askedRow, data, `COMMAND#${commandId} ASKED`)
    },
    async putRefusal(commandId, refusal) {
      const put = expiring(commandKey(commandId), refusal, keptSeconds)
      const condition = {
        expression: 'attribute_not_exists(pk) OR (attribute_exists(#refused) AND #order <= :order)',
        values: { order: refusal.order },
      }
      await table.writeAll([{ put, condition }, listed(commandId, refusal)])
    },

    async commandPlan(commandId) {
      const data = await table.get(planKey(commandId))
      return data === undefined ? undefined : parseAnswer(commandPlanRow, data, `COMMAND#${commandId} PLAN`)
    },
    async putCommandPlan(commandId, plan) {
      await table.write({ once: expiring(planKey(commandId), plan, keptSeconds) })
    },
    async useCommandPlan(commandId, usedBy) {
      return await table.write({
        update: planKey(commandId),
        set: { usedBy },
        condition: {
          expression: 'attribute_exists(pk) AND (attribute_not_exists(#usedBy) OR #usedBy = :by)',
          values: { by: usedBy },
        },
      })
    },

    async pendingOutcomes() {
      const rows = await table.query(pendingOutcomes)
      const { read: outcomes, unread } = parseRows(pendingOutcomeRow, rows, pendingOutcomes)
      return { outcomes, unread }
    },
    async putPendingOutcome(pending) {
      await table.write({ put: expiring(pendingKey(pending.id), pending, keptSeconds) })
    },
    async dropPendingOutcome(id) {
      await table.write({ delete: pendingKey(id) })
    },
  }
}
