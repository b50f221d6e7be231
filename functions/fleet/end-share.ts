import type { SettleRequest } from '../contracts/settle-request.ts'
import { asEdgeError } from '../control/errors.ts'
import { holdKey } from '../control/hold.ts'
import type { EndedCalls } from '../control/reading.ts'
import type { Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { callsOf } from './count-calls.ts'
import { type Lease, lost } from './edge-lease.ts'
import type { Known } from './settle.ts'
import type { WantedHolds } from './wanted-holds.ts'

export type EndCalls = NonNullable<Extract<SettleRequest, { kind: 'settle' }>['endCalls']>

interface Share {
  readonly edge: Edge
  readonly endCalls?: EndCalls | undefined
  readonly wantedHolds: WantedHolds
}

/**
 * Ends calls before it reads anything. That it does is on record before it is done: whoever comes after it,
 * killed or not, ends no more.
 */
export async function endOwnShare(
  ports: Pick<EdgePorts, 'store' | 'clock' | 'config'>,
  lease: Lease,
  { head, reading }: Known,
  { edge, endCalls, wantedHolds }: Share,
): Promise<Readonly<Record<string, EndedCalls>>> {
  const ended = reading?.ended ?? {}
  const share = endCalls?.shares[edge.id] ?? 0
  if (!endCalls || !reading || !head || share === 0) return ended
  const { hold: key, step } = endCalls
  const last = ended[key]
  const hold = (await wantedHolds.now()).holds.find((each) => holdKey(each) === key)
  const now = ports.clock.now()
  const stepMs = ports.config.timers.minWaitSeconds * 1000
  // One that had to wait for the edge comes again with the next step: two together would end twice as many.
  const isLate = now - step > stepMs || (last !== undefined && (last.step >= step || now - last.at < stepMs))
  if (!hold || isLate) return ended
  const total = last?.total ?? 0
  const begun = { ...ended, [key]: { step, at: now, ended: 0, total } }
  const written = await ports.store.putReading(lease.generation, {
    head,
    reading: { ...reading, ended: begun },
  })
  if (written === 'lost') throw lost(edge)
  try {
    const count = await lease.ask((own) => own.endCalls(callsOf(hold, reading.holds[key]?.others), share))
    return { ...begun, [key]: { step, at: now, ended: count, total: total + count } }
  } catch (error) {
    const failed = asEdgeError(error).message
    return { ...begun, [key]: { step, at: now, ended: 0, total, failed } }
  }
}
