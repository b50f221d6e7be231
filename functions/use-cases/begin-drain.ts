import { eventTypes } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { AddressUnknown, InstanceUnknown } from '../control/errors.ts'
import { isGone } from '../control/instance-life.ts'
import { instanceDestinations } from '../control/resolve.ts'
import { answer, end, holdOf, keptAlive, overtaken, save, summary } from './drain-step.ts'
import { allListed, type Readout, storedLists } from './lists.ts'
import { blind } from './overdue.ts'
import type { Ports } from './ports.ts'

/**
 * The first step of a drain: resolves an instance's whole set, places the hold and asks for a settle. That the set is disabled on every
 * edge is found by the looks that follow.
 * @throws InstanceUnknown and AddressUnknown while EC2 shows no such machine or address, and the deadline is ahead
 */
export async function beginDrain(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  // Also when the action is over already: its instance is on its way out and must get no more calls.
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  const { record } = alive
  let resolved: DrainRecord | { readonly gone: true }
  try {
    resolved = await resolveSet(ports, record, await storedLists(ports))
  } catch (error) {
    return blind(ports, record, error)
  }
  if ('gone' in resolved) {
    const gone = await save(ports, record, {
      state: 'completing',
      result: 'gone',
      completion: 'CONTINUE',
    })
    return gone.lifecycle ? answer(ports, gone, 'complete') : end(ports, gone, 'gone')
  }
  const hold = holdOf(resolved)
  if ((await ports.store.putHold(hold)) === 'stale')
    return answer(ports, await save(ports, resolved, { state: 'draining' }), 'observe')
  await ports.store.raiseWanted()
  const begun = await save(ports, resolved, { state: 'draining' })
  try {
    await ports.settles.ask({ kind: 'settle' })
  } catch (error) {
    return blind(ports, begun, error)
  }
  await ports.events.publish({ type: eventTypes.drainStarted, detail: summary(begun) })
  return answer(ports, begun, 'observe', { shortest: true })
}

async function resolveSet(
  ports: Pick<Ports, 'instances' | 'clock'>,
  record: DrainRecord,
  lists: readonly Readout[],
): Promise<DrainRecord | { readonly gone: true }> {
  if (record.instanceId === undefined) return record
  const facts = await ports.instances.byId(record.instanceId)
  if (isGone(facts, record.requestedAt, ports.clock.now())) return { gone: true }
  if (!facts) throw new InstanceUnknown(`EC2 does not know ${record.instanceId} yet; the step is tried again`)
  // Held and counted by nothing, it would look absent with its calls up.
  if (facts.addresses.length === 0)
    throw new AddressUnknown(`EC2 shows no address of ${facts.instanceId} yet; the step is tried again`)
  return {
    ...record,
    subject: { kind: 'instance', instanceId: facts.instanceId, launchedAt: facts.launchedAt },
    addresses: facts.addresses,
    ...(record.wholeInstance && { uris: instanceDestinations(facts, allListed(lists)) }),
    ...(facts.group !== undefined && { group: facts.group }),
  }
}
