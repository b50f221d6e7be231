import { type Drain, drainId } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import { holdKey } from '../control/hold.ts'
import { isLookOverdue } from '../control/overdue-look.ts'
import { lookAnew, makeSureItRuns } from '../drain/start-drain.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'
import { publishSwept } from './swept.ts'

/** Drains of holds in force that are looked at no more get their next attempt. */
export async function sweepDrains(ports: SweepPorts): Promise<void> {
  const holds = (await ports.store.holds()).filter(({ source }) => source !== 'retired')
  const ids = new Set(holds.map(holdKey))
  const drains = await onEach([...ids], (id) => ports.store.drain(id))
  await goOnLooking(
    ports,
    drains.flatMap((drain) => (drain && drain.phase.name !== 'ended' ? [drain] : [])),
  )
}

/**
 * @param drains that have not ended. One whose execution has, or never was begun, and one that was not looked
 * at for long, as its execution hangs, is looked at by its next attempt.
 */
export async function goOnLooking(ports: SweepPorts, drains: readonly Drain[]): Promise<void> {
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
