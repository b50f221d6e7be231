import { type GroupConfig, lifecycleTargetOf } from '../contracts/config.ts'
import type { LifecycleMessage } from '../contracts/lifecycle-action.ts'
import { metricNames } from '../contracts/names.ts'
import { orderOf } from '../control/hold.ts'
import { lifecycleIntent } from '../control/lifecycle.ts'
import { lifecycleDrainId, lifecycleRequest } from '../control/lifecycle-request.ts'
import { type StartNeeds, startDrain } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import { type AdmitNeeds, admit, type Launch, launchedInstance } from './admit.ts'

type Needs = AdmitNeeds & StartNeeds & Pick<Ports, 'lifecycleActions'>
type Action = Extract<LifecycleMessage, { kind: 'action' }>

/**
 * What AWS sends by itself: a lifecycle action, or news of an instance or of the list of edges. Only our
 * groups and hooks are ours.
 */
export async function handleLifecycle(ports: Needs, message: LifecycleMessage): Promise<void> {
  if (message.kind === 'edges-changed') return ports.settles.ask(message)
  const group =
    message.kind === 'skip' ? undefined : ports.config.groups.find((g) => g.name === message.group)
  if (message.kind === 'skip' || !group) return skip(ports)
  switch (message.kind) {
    case 'launched':
      return admitLaunched(ports, group, message)
    case 'action':
      return handleAction(ports, group, message)
    default:
      return message satisfies never
  }
}

/**
 * The news of a launch. It may come late: a machine that was drained since is not admitted by it. A group
 * with a launch hook was admitted by its action, unless that event was lost: a dead machine's mark on the
 * address shows it.
 */
async function admitLaunched(ports: AdmitNeeds, group: GroupConfig, launch: Launch): Promise<void> {
  const { instanceId, time } = launch
  const drain = await ports.store.drain(lifecycleDrainId(instanceId, group.terminateHook))
  if (drain && drain.hold.placedAt >= time) return skip(ports)
  if (group.launchHook === undefined) return admit(ports, launch)
  const facts = await launchedInstance(ports, launch)
  const marked = (await ports.store.holds()).some(
    ({ source, lifted, addresses }) =>
      source === 'retired' && !lifted && addresses.some((address) => facts?.addresses.includes(address)),
  )
  return marked ? admit(ports, launch) : skip(ports)
}

async function handleAction(ports: Needs, group: GroupConfig, message: Action): Promise<void> {
  const { hook, instanceId, token, move } = message
  const ours = move.transition === 'terminating' ? group.terminateHook : group.launchHook
  if (hook !== ours) return skip(ports)
  const action = { group: group.name, hook, token, instanceId }
  const intent = lifecycleIntent(move)
  if (intent === 'drain') {
    const { time } = message
    await startDrain(
      ports,
      lifecycleRequest({
        target: lifecycleTargetOf(group, action),
        who: `auto scaling group ${group.name}`,
        why: `${hook}: ${move.origin ?? 'unknown'} to ${move.destination ?? 'unknown'}`,
        order: orderOf(time, token),
        requestedAt: time,
        deadlineAt: time + group.drainDeadlineSeconds * 1000,
      }),
    )
    return
  }
  if (intent === 'launch') await admit(ports, { instanceId, time: message.time })
  await ports.lifecycleActions.complete(action, 'CONTINUE')
}

function skip(ports: Pick<Ports, 'metrics'>): void {
  ports.metrics.count(metricNames.skipped, 1)
}
