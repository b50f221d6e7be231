import type { CommandOutcome } from '../contracts/events.ts'
import { decide } from '../control/clearance.ts'
import { inForce } from '../control/freeze.ts'
import { type Hold, hasEnded, holdKey, named } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { onEach } from '../stored/on-each.ts'
import { clearanceView, rulesOf } from './clear-drains.ts'

type DryRun = Extract<CommandOutcome<'freeze' | 'unfreeze'>, { readonly result: 'dry-run' }>

/**
 * What a freeze, or its end, is about: the one in force, what waits, and what would begin, or be lifted by
 * itself, without one. What CloudWatch or EC2 would have to be asked for is not in it.
 */
export async function planFreeze(
  ports: InventoryNeeds,
): Promise<Pick<DryRun, 'result' | 'frozen' | 'waiting' | 'wouldBegin' | 'wouldLift'>> {
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
    wouldLift: await waitForThaw(ports, view.now),
  }
}

/** Holds whose end has come, and alarms' whose OK has. */
async function waitForThaw({ store }: Pick<Ports, 'store'>, now: number) {
  const isOver = async (hold: Hold) => {
    if (hasEnded(hold, now)) return true
    if (hold.source !== 'alarm') return false
    const seen = await store.seenRequest(hold)
    return seen?.intent === 'lift' && seen.order > hold.order
  }
  const over = await onEach(await store.holds(), async (hold) => ((await isOver(hold)) ? [named(hold)] : []))
  return over.flat()
}
