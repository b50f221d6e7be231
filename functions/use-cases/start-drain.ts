import { claim, type DrainRequest } from '../control/claim.ts'
import { ExecutionEnded, StoreConflict } from '../control/errors.ts'
import { answer, nextOf, save } from './drain-step.ts'
import type { Ports } from './ports.ts'

/**
 * Claims a drain and starts its workflow. The claim is a conditional write, so that an event that comes twice, late or out
 * of order starts one execution; a claim whose start was lost is finished by the next delivery.
 */
export async function startDrain(
  ports: Pick<Ports, 'store' | 'workflows' | 'clock' | 'config'>,
  request: DrainRequest,
): Promise<'started' | 'duplicate' | 'stale'> {
  // Each turn but the last lost a race against one other writer; five in a row is trouble worth a redelivery.
  for (let turn = 0; turn < 5; turn++) {
    const decision = claim(await ports.store.drain(request.id), request)
    if (decision.kind === 'stale') return 'stale'
    if (decision.kind !== 'duplicate' && (await ports.store.putDrain(decision.record)) === 'conflict')
      continue
    const { record } = decision
    if (record.state === 'ended') return 'duplicate'
    const next = nextOf(record)
    try {
      await ports.workflows.start(answer(ports, record, next))
      return decision.kind === 'duplicate' ? 'duplicate' : 'started'
    } catch (error) {
      if (!(error instanceof ExecutionEnded)) throw error
      const again = await save(ports, record, { attempt: record.attempt + 1, steps: 0 })
      await ports.workflows.start(answer(ports, again, next))
      return 'started'
    }
  }
  throw new StoreConflict(`drain ${request.id} is being claimed by others; the message comes again`)
}
