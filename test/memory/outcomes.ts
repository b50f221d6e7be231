import { isDeepStrictEqual } from 'node:util'
import { type CommandInShort, commandInShort } from '../../functions/control/command-in-short.ts'
import type { CommandOutcomeRow, CommandPlan, PendingOutcome, Store } from '../../functions/ports/store.ts'

/** What came of commands, what dry runs were of, and what is open of it. */
export function memoryOutcomes(now: () => number) {
  const outcomes = new Map<string, CommandOutcomeRow>()
  const asked = new Map<string, string>()
  const answered: CommandInShort[] = []
  const pending = new Map<string, PendingOutcome>()
  return {
    ...memoryPlans(),

    async commands(day, { most, before }) {
      const found = answered
        .toReversed()
        .filter(
          ({ at, id }) => new Date(at).toISOString().startsWith(day) && (!before || `${at}#${id}` < before),
        )
      const commands = found.slice(0, most)
      const last = commands.at(-1)
      return structuredClone({
        commands,
        unread: [],
        ...(last && found.length > most && { next: `${last.at}#${last.id}` }),
      })
    },
    commandOutcome: async (commandId) => structuredClone(outcomes.get(commandId)),
    commandAsked: async (commandId) => asked.get(commandId),
    async putCommandOutcome(commandId, outcome, asks) {
      asked.set(commandId, asks)
      outcomes.set(commandId, structuredClone(outcome))
      answered.push(commandInShort(commandId, now(), outcome))
    },
    async putRefusal(commandId, refusal) {
      const known = outcomes.get(commandId)
      const isGood = known !== undefined && known['refused'] === undefined
      if (isGood || String(known?.['order'] ?? '') > refusal.order) return
      outcomes.set(commandId, structuredClone(refusal))
      answered.push(commandInShort(commandId, now(), refusal))
    },

    pendingOutcomes: async () => ({ outcomes: structuredClone([...pending.values()]), unread: [] }),
    async putPendingOutcome(answer) {
      pending.set(answer.id, structuredClone(answer))
    },
    async dropPendingOutcome(id) {
      pending.delete(id)
    },
  } satisfies Partial<Store>
}

function memoryPlans() {
  const plans = new Map<string, CommandPlan>()
  return {
    commandPlan: async (id) => structuredClone(plans.get(id)),
    async putCommandPlan(id, plan) {
      if (!plans.has(id)) plans.set(id, structuredClone(plan))
    },
    async useCommandPlan(id, usedBy) {
      const plan = plans.get(id)
      if (!plan || (plan.usedBy && !isDeepStrictEqual(plan.usedBy, usedBy))) return false
      plans.set(id, { ...plan, usedBy: structuredClone(usedBy) })
      return true
    },
  } satisfies Partial<Store>
}
