import { lifecycleTargetOf } from '../contracts/config.ts'
import { metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { claim, type DrainRequest } from '../control/claim.ts'
import { type Drain, drainId, type LifecycleActionRef } from '../control/drain.ts'
import { RecordMissing } from '../control/errors.ts'
import { type Hold, holdKey, orderOf } from '../control/hold.ts'
import { lifecycleRequest } from '../control/lifecycle-request.ts'
import type { Ports } from '../ports/ports.ts'
import { putClaim } from './start-drain.ts'

type Needs = Pick<Ports, 'store' | 'clock' | 'config' | 'metrics'>

/**
 * The record of a drain whose row is lost, made anew of its hold and of the action that its execution keeps
 * alive: it begins again, with the deadline that it had. That an instance was retained its first look finds:
 * its action is over.
 * @throws RecordMissing where neither is there
 */
export async function drainAnew(ports: Needs, payload: WorkflowPayload): Promise<Drain> {
  const { store, metrics } = ports
  const { attempt } = payload
  metrics.count(metricNames.recordsMissing, 1)
  const hold = (await store.holds()).find((each) => isItsHold(each, payload))
  const request = requestOf(ports, payload.action, hold)
  if (!request || drainId(request) !== payload.drainId)
    throw new RecordMissing(
      `drain ${payload.drainId} has no record and no hold: nothing ends it but its message again, or the end of its action`,
    )
  const anew = { ...claim(undefined, request).drain, attempt }
  if ((await putClaim(ports, anew)) === 'written') return anew
  return (await store.drain(payload.drainId)) ?? anew
}

function isItsHold(hold: Hold, { drainId: id }: WorkflowPayload): boolean {
  return hold.source !== 'retired' && holdKey(hold) === id
}

function requestOf(
  { config, clock }: Needs,
  action: LifecycleActionRef | undefined,
  hold: Hold | undefined,
): DrainRequest | undefined {
  const now = clock.now()
  const group = config.groups.find(({ name }) => name === (action?.group ?? hold?.group))
  if (action && group)
    return lifecycleRequest({
      target: lifecycleTargetOf(group, action),
      who: hold?.who ?? `auto scaling group ${group.name}`,
      why: hold?.why ?? `${action.hook}: its record was lost`,
      order: hold?.order ?? orderOf(now, action.token),
      requestedAt: hold?.placedAt ?? now,
      deadlineAt: hold?.until ?? now + group.drainDeadlineSeconds * 1000,
    })
  if (action || !hold || hold.source === 'retired') return undefined
  const { shownAt: _, source, subject, until = hold.placedAt, ...rest } = hold
  const known = { ...rest, subject, until }
  if (source !== 'lifecycle') return { hold: { ...known, source } }
  if (!group || subject.kind !== 'instance') return undefined
  const kept = { group: group.name, hook: group.terminateHook, instanceId: subject.instanceId }
  return { hold: { ...known, source }, action: lifecycleTargetOf(group, kept) }
}
