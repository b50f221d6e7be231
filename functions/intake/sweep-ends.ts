import { hasEnded } from '../control/hold.ts'
import { isFrozen } from './freeze.ts'
import { type LiftNeeds, lift } from './lift.ts'

/**
 * Holds whose end has come are lifted. While a freeze is in force they stay, and are lifted after it. Each is
 * lifted in its own order: a drain that gives it another end, and was sent before this, stands.
 */
export async function sweepEnds(ports: LiftNeeds): Promise<void> {
  const now = ports.clock.now()
  if (await isFrozen(ports)) return
  const over = (await ports.store.holds()).filter((hold) => hasEnded(hold, now))
  if (over.length > 0) await lift(ports, over, 'its end', { order: ({ order }) => order, byItself: true })
}
