import { eventTypes } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import type { DrainRecord, EdgeMemory } from '../control/drain-record.ts'
import { AddressUnknown, EdgesUnreadable, InstanceUnknown } from '../control/errors.ts'
import { isGone } from '../control/instance-life.ts'
import { instanceDestinations } from '../control/resolve.ts'
import { answer, carryOn, end, holdOf, keptAlive, overtaken, save, summary } from './drain-step.ts'
import { allListed, confirmEverywhere, readLists, resultFor, unreadable, versions } from './edges.ts'
import { blind, isLate } from './overdue.ts'
import type { Ports } from './ports.ts'
import { settle } from './settle.ts'
import { inTurn } from './turns.ts'

/**
 * The first step of a drain: resolves an instance's whole set, places the hold, disables it on every edge and confirms it
 * with two read-backs. An edge that can't be reached does not hold the drain up: the rounds go on trying. When many begin at once
 * it asks again after the shortest wait.
 * @throws EdgesUnreadable while no edge at all can be read, InstanceUnknown and AddressUnknown while EC2 shows no such machine or address, and the deadline is ahead.
 */
export async function beginDrain(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  // Also when the action is over already: its instance is on its way out and must get no more calls.
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  const begun = await inTurn(ports, () => begin(ports, alive.record))
  return begun ?? waitForTurn(ports, alive.record)
}

/** Its deadline holds while it waits; and as many short waits are too much for one execution's history, they are counted. */
async function waitForTurn(ports: Ports, record: DrainRecord): Promise<WorkflowPayload> {
  if (isLate(ports, record))
    return blind(ports, record, new Error('it waits for its turn: too many drains begin at once'))
  const waited = await save(ports, record, { steps: record.steps + 1 })
  return carryOn(ports, waited, 'begin', { shortest: true })
}

async function begin(ports: Ports, record: DrainRecord): Promise<WorkflowPayload> {
  let edges: Awaited<ReturnType<Ports['fleet']['edges']>>
  let resolved: Awaited<ReturnType<typeof resolveSet>>
  try {
    edges = await ports.fleet.edges()
    resolved = await resolveSet(ports, record, edges)
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
  const begun = await save(ports, resolved, { state: 'draining' })

  const settled = await settle(ports, edges, await ports.store.raiseWanted())
  const results = settled.map((result) => resultFor(result, hold))
  const confirmed = await confirmEverywhere(ports, hold, settled)
  const memories: Record<string, EdgeMemory> = { ...begun.edges }
  for (const { edge, outcome } of results) {
    const listed = outcome === 'applied' || outcome === 'already' || outcome === 'refused'
    memories[edge] = { everListed: listed || (begun.edges[edge]?.everListed ?? false) }
  }
  const done = await save(ports, begun, {
    edges: memories,
    ...(confirmed && { confirmedAt: ports.clock.now() }),
  })
  await ports.events.publish({
    type:
      confirmed && results.some(({ outcome }) => outcome !== 'unlisted')
        ? eventTypes.drainConfirmed
        : eventTypes.drainStarted,
    detail: {
      ...summary(done),
      edges: results,
      kamailio: await versions(edges),
    },
  })
  return answer(ports, done, 'observe')
}

async function resolveSet(
  ports: Ports,
  record: DrainRecord,
  edges: Awaited<ReturnType<Ports['fleet']['edges']>>,
): Promise<DrainRecord | { readonly gone: true }> {
  if (record.instanceId === undefined) return record
  const facts = await ports.instances.byId(record.instanceId)
  if (isGone(facts, record.requestedAt, ports.clock.now())) return { gone: true }
  if (!facts) throw new InstanceUnknown(`EC2 does not know ${record.instanceId} yet; the step is tried again`)
  // Held and counted by nothing, it would look absent with its calls up.
  if (facts.addresses.length === 0)
    throw new AddressUnknown(`EC2 shows no address of ${facts.instanceId} yet; the step is tried again`)
  const readouts = await readLists(edges)
  if (unreadable(readouts).length === readouts.length)
    throw new EdgesUnreadable(`no edge can be read: ${unreadable(readouts).join('; ')}`)
  return {
    ...record,
    subject: { kind: 'instance', instanceId: facts.instanceId, launchedAt: facts.launchedAt },
    addresses: facts.addresses,
    ...(record.wholeInstance && { uris: instanceDestinations(facts, allListed(readouts)) }),
    ...(facts.group !== undefined && { group: facts.group }),
  }
}
