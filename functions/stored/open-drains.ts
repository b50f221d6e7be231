import type { Drain } from '../control/drain.ts'
import { holdKey } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from './on-each.ts'

/** Drains of holds in force that have not ended. */
export async function openDrains({ store }: Pick<Ports, 'store'>): Promise<Drain[]> {
  const holds = (await store.holds()).filter(({ source }) => source !== 'retired')
  const drains = await onEach([...new Set(holds.map(holdKey))], (id) => store.drain(id))
  return drains.flatMap((drain) => (drain && drain.phase.name !== 'ended' ? drain : []))
}
