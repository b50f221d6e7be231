import { type Drain, drainId } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import { holdKey } from '../control/hold.ts'
import { isLookOverdue } from '../control/overdue-look.ts'
import { concludeEnd } from '../drain/conclude-end.ts'
import { lookAnew, makeSureItRuns, type StartNeeds, startDrainOf } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import { publishSwept } from './swept.ts'

/** A look that fails is tried twice more at once, and again after a wait of 120 s at most. */
const triedAgainWithinMs = 300_000

type Needs = StartNeeds & Pick<Ports, 'events'>

/**
 * Drains of holds in force, and of those that were lifted lately, that are looked at no more get their next
 * attempt; a hold by choice whose run was killed before it began a drain gets one. Of a lifecycle drain that
 * has ended, and whose hold is in force still, the rest is done.
 */
export async function sweepDrains(ports: Needs): Promise<void> {
  const holds = (await ports.store.holds()).filter(({ source }) => source !== 'retired')
  const held = Map.groupBy(holds, holdKey)
  const lifted = (await openLifts(ports)).filter((id) => !held.has(id))
  const ids = [...held.keys(), ...new Set(lifted)]
  const drains: Drain[] = []
  const sweepOne = async (id: string) => {
    const drain = await ports.store.drain(id)
    if (drain && drain.phase.name !== 'ended') return drains.push(drain)
    const [hold] = held.get(id) ?? []
    if (hold && (!drain || drain.hold.order < hold.order)) await startDrainOf(ports, hold)
    else if (hold?.source === 'lifecycle' && drain && isLeftBehind(drain, ports.clock.now())) {
      await concludeEnd(ports, drain)
      await publishSwept(ports, {
        what: 'drain',
        drainId: id,
        why: 'its end was saved, and nothing more done',
      })
    }
    return undefined
  }
  // One that can't be read keeps no other one from being gone on with.
  await tryAll([() => onEach(ids, sweepOne), () => goOnLooking(ports, drains)])
}

/** Its last look was killed once it had saved the end, and its execution: that would be done by now. */
function isLeftBehind({ lookedAt = 0 }: Drain, now: number): boolean {
  return now - lookedAt > triedAgainWithinMs
}

/** A lift is filed once its drain has ended. A row that can't be read, filing publishes. */
async function openLifts({ store }: Pick<Ports, 'store'>): Promise<string[]> {
  const { changes } = await store.openChanges()
  return changes.flatMap((change) => (change.kind === 'lifted' ? [holdKey(change.hold)] : []))
}

/**
 * @param drains that have not ended. One whose execution has, or never was begun, and one that was not looked
 * at for long, as its execution hangs, is looked at by its next attempt.
 */
export async function goOnLooking(ports: Needs, drains: readonly Drain[]): Promise<void> {
  const attempts = drains.map((drain) => ({ drainId: drainId(drain), attempt: drain.attempt }))
  const idle = new Set((await ports.workflows.idle(attempts)).map((attempt) => attempt.drainId))
  const now = ports.clock.now()
  await onEach(drains, async (drain) => {
    const hangs = isLookOverdue(drain, now, ports.config.timers)
    if (!hangs && !idle.has(drainId(drain))) return
    try {
      if (hangs) await lookAnew(ports, drain)
      else if (!(await makeSureItRuns(ports, drain))) return
    } catch (error) {
      // Whoever wrote it meanwhile goes on with it.
      if (error instanceof StoreConflict) return
      throw error
    }
    const why = hangs ? 'nobody has looked at it for long' : 'its execution has ended'
    await publishSwept(ports, { what: 'drain', drainId: drainId(drain), why })
  })
}
