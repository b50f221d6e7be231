import type { CommandOutcome } from '../contracts/events.ts'
import { decide, inForce } from '../control/clearance.ts'
import { holdKey } from '../control/hold.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { clearanceView, rulesOf } from './clear-drains.ts'

type DryRun = Extract<CommandOutcome<'freeze' | 'unfreeze'>, { readonly result: 'dry-run' }>

/** What a freeze, or its end, is about: the one in force, what waits, and what would begin without one. */
export async function planFreeze(
  ports: InventoryNeeds,
): Promise<Pick<DryRun, 'result' | 'frozen' | 'waiting' | 'wouldBegin'>> {
  const { drains } = await ports.store.waiting()
  const view = await clearanceView(ports)
  const rules = rulesOf(ports)
  const thawed = decide(drains, { ...view, freeze: undefined }, rules)
  return {
    ...{ result: 'dry-run', frozen: inForce(view.freeze, view.now) },
    waiting: [...decide(drains, view, rules)].map(([{ hold, since }, clearance]) => ({
      ...{ drainId: holdKey(hold), who: hold.who, why: hold.why, since },
      ...(!clearance.clear && { because: clearance.because }),
    })),
    wouldBegin: [...thawed].flatMap(([{ hold }, { clear }]) => (clear ? holdKey(hold) : [])),
  }
}
