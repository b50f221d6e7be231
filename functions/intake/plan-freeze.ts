import type { CommandOutcome } from '../contracts/events.ts'
import { decide, inForce } from '../control/clearance.ts'
import { hasEnded, holdKey } from '../control/hold.ts'
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
  // What waits when its end has come never begins.
  const open = drains.filter(({ hold }) => !hasEnded(hold, view.now))
  const thawed = decide(open, { ...view, freeze: undefined }, rules)
  return {
    ...{ result: 'dry-run', frozen: inForce(view.freeze, view.now) },
    waiting: [...decide(drains, view, rules)].map(([{ hold, since }, clearance]) => ({
      ...{ drainId: holdKey(hold), who: hold.who, why: hold.why, since },
      ...(!clearance.clear && { because: clearance.because }),
    })),
    wouldBegin: [...thawed].flatMap(([{ hold }, { clear }]) => (clear ? holdKey(hold) : [])),
  }
}
