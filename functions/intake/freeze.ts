import type { FreezeCommand } from '../contracts/command.ts'
import { eventTypes } from '../contracts/names.ts'
import { type Freeze, inForce } from '../control/clearance.ts'
import { AnswerPending, CommandRefused } from '../control/errors.ts'
import { orderOf } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'
import type { CommandOutcomeRow } from '../ports/store.ts'
import { clearDrains } from './clear-drains.ts'

/** Whoever decides what begins is done by then, or has lost its lease. */
const patienceMs = 12_000

/**
 * From the outcome of a freeze on no drain by choice begins, unless it is forced. After the end of one, what
 * waits is decided on at once.
 * @throws CommandRefused for an end that has passed; AnswerPending while another run decides
 */
export async function freezeOrEnd(
  ports: Ports,
  command: FreezeCommand,
  order: string,
): Promise<CommandOutcomeRow> {
  const { store, clock } = ports
  const now = clock.now()
  const before = inForce(await store.freeze(), now)
  if (command.command === 'unfreeze') return unfreeze(ports, command, before, order)
  const { requestedBy: who, reason: why, until } = command
  if (until !== undefined && until <= now)
    throw new CommandRefused(
      `until has passed ${Math.ceil((now - until) / 1000)} s ago: a freeze ends later, or has no end`,
    )
  if (command.dryRun) return { result: 'dry-run', frozen: before }
  const freeze: Freeze = { who, why, at: now, order, ...(until !== undefined && { until }) }
  if ((await store.putFreeze(freeze)) === 'stale') return { result: 'stale', frozen: await store.freeze() }
  await decidedOnce(ports, command)
  await ports.events.publish({ type: eventTypes.frozen, detail: { who, why, until } })
  return { result: 'frozen', until }
}

async function unfreeze(
  ports: Ports,
  { requestedBy: by, dryRun }: FreezeCommand,
  before: Freeze | undefined,
  order: string,
): Promise<CommandOutcomeRow> {
  if (dryRun || !before) return { result: dryRun ? 'dry-run' : 'not-frozen', frozen: before }
  if (!(await endFreeze(ports, before, by, order)))
    return { result: 'stale', frozen: await ports.store.freeze() }
  await clearDrains(ports)
  return { result: 'unfrozen' }
}

/** @returns whether it was ended, and no later freeze is there */
async function endFreeze(
  { store, events, clock }: Ports,
  freeze: Freeze,
  by: string,
  order: string,
): Promise<boolean> {
  const ended = { ...freeze, order, ended: { at: clock.now(), by } }
  if ((await store.putFreeze(ended)) === 'stale') return false
  const { who, why, at } = freeze
  await events.publish({ type: eventTypes.freezeEnded, detail: { who, why, since: at, by } })
  return true
}

/** A freeze whose end has come is ended, and published. @returns the one in force */
export async function currentFreeze(ports: Ports): Promise<Freeze | undefined> {
  const now = ports.clock.now()
  const freeze = await ports.store.freeze()
  const isOver = inForce(freeze, now) === undefined
  if (!isOver) return freeze
  if (freeze && !freeze.ended) await endFreeze(ports, freeze, 'its end', orderOf(freeze.until ?? now))
  return undefined
}

/** Has decided, or waited for whoever did, since the freeze was written: what begins later knows it. */
async function decidedOnce(ports: Ports, { id }: FreezeCommand): Promise<void> {
  const giveUpAt = ports.clock.now() + patienceMs
  for (let waitMs = 50; !(await clearDrains(ports)); waitMs = Math.min(1000, waitMs * 2)) {
    if (ports.clock.now() >= giveUpAt)
      throw new AnswerPending(`freeze ${id} is written; another run still begins what it had decided on`)
    await ports.clock.sleep(waitMs)
  }
}
