import { lifecycleTargetOf } from '../contracts/config.ts'
import { metricNames } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { claim, type DrainRequest } from '../control/claim.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { RecordMissing } from '../control/errors.ts'
import { type Hold, holdKey, orderOf } from '../control/hold.ts'
import { lifecycleRequest } from '../control/lifecycle-request.ts'
import type { LifecycleActionRef, Ports } from './ports.ts'

type Needs = Pick<Ports, 'store' | 'clock' | 'config' | 'metrics'>

/**
 * The record of a drain whose row is lost, made anew of its hold and of the action that its execution keeps alive: it begins again, with the
 * deadline that it had. That an instance was retained its first look finds: its action is over.
 * @throws RecordMissing where neither is there
 */
export async function recordAnew(ports: Needs, payload: WorkflowPayload): Promise<DrainRecord> {
  const { store, metrics } = ports
  const { drainId, attempt } = payload
  metrics.count(metricNames.recordsMissing, 1)
  const hold = (await store.holds()).find((each) => each.source !== 'retired' && holdKey(each) === drainId)
  const request = requestOf(ports, payload.action, hold)
  if (!request || request.id !== drainId)
    throw new RecordMissing(
      `drain ${drainId} has no record and no hold: nothing ends it but its message again, or the end of its action`,
    )
  const anew = { ...claim(undefined, request).record, attempt }
  if ((await store.putDrain(anew)) === 'written') return anew
  return (await store.drain(drainId)) ?? anew
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
  if (action || !hold) return undefined
  const { source, id, who, why, order, placedAt, until = placedAt, subject } = hold
  const asked = { who, why, order, requestedAt: placedAt, deadlineAt: until }
  if (source === 'lifecycle' && group && subject.kind === 'instance') {
    const kept = { group: group.name, hook: group.terminateHook, instanceId: subject.instanceId }
    return lifecycleRequest({ ...asked, target: lifecycleTargetOf(group, kept) })
  }
  if (source !== 'operator' && source !== 'alarm') return undefined
  const { uris, addresses, wholeInstance } = hold
  return {
    ...{ ...asked, id: holdKey(hold), source, holdId: id, subject, uris, addresses, wholeInstance },
    ...(subject.kind === 'instance' && { instanceId: subject.instanceId }),
    ...(hold.group !== undefined && { group: hold.group }),
  }
}
