import type { Drain } from '../control/drain.ts'
import { isResolved, orderOf } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'

/**
 * Turns the hold of a drain that has ended with its lifecycle action into the retired mark: the destination
 * stays disabled. Of what was never listed nothing is left behind. It is as old as the hold: a launch that
 * was later ends it. A look that comes again finds what is done.
 */
export async function leaveMark(
  { store, settles, clock }: Pick<Ports, 'store' | 'settles' | 'clock'>,
  drain: Drain,
): Promise<void> {
  const { phase, action } = drain
  if (!action || phase.name !== 'ended' || phase.because === 'lifted') return
  const { source, id, subject, placedAt } = drain.hold
  const hold = await store.hold(source, id, subject)
  // Lifted: a launch on the address came first and has ended the hold of the dead machine, and the
  // destination is the newcomer's.
  if (!hold || hold.lifted) return
  const now = clock.now()
  const lifted = { ...hold, lifted: { at: now, by: hold.who } }
  if (phase.because === 'absent') {
    await store.putHold(lifted)
    // It may have been listed, and disabled, meanwhile.
    await store.raiseWanted()
    return settles.ask({ kind: 'settle' })
  }
  const mark = await store.hold('retired', id, subject)
  // A look that comes again must not bring back a mark that was lifted since it left it.
  if (mark && mark.placedAt >= placedAt) return
  // Its event came after the end of what the sweep had found: the mark knows the machine, EC2 does no more.
  if (mark && !mark.lifted && !isResolved(hold)) return void (await store.putHold(lifted))
  const why = `drained by ${hold.who}: ${hold.why}`
  await store.retire(lifted, { ...hold, source: 'retired', order: orderOf(now), why })
}
