import { isDeepStrictEqual } from 'node:util'
import type { CommandPlan, Store } from '../../functions/ports/store.ts'

/** What dry runs were of, and who has used them. */
export function memoryPlans() {
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
