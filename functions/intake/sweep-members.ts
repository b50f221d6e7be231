import { type GroupConfig, latestDeadline, lifecycleTargetOf } from '../contracts/config.ts'
import type { Drain } from '../control/drain.ts'
import { orderOf } from '../control/hold.ts'
import { lifecycleDrainId, lifecycleRequest } from '../control/lifecycle-request.ts'
import { type StartNeeds, startDrain } from '../drain/start-drain.ts'
import type { WaitingMember } from '../ports/group-members.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { instanceById, isInstanceGone, momentMs } from '../stored/inventory.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import { type AdmitNeeds, admit } from './admit.ts'
import { goOnLooking } from './sweep-drains.ts'
import { publishSwept } from './swept.ts'

type Needs = AdmitNeeds & StartNeeds & Pick<SweepPorts, 'lifecycleActions'>
export type MemberNeeds = Needs & Pick<SweepPorts, 'groupMembers'>

/**
 * Instances of our groups that wait at our hooks, or are retained, and have no drain or launch under way: the
 * event of their lifecycle action was lost, or the drain ended before they were gone. Auto Scaling shows no
 * token, nor at whose hook an instance waits: by its id our action takes a heartbeat, or is over.
 */
export async function sweepMembers(ports: MemberNeeds): Promise<void> {
  const groups = new Map(ports.config.groups.map((group) => [group.name, group]))
  const members = await ports.groupMembers.waiting([...groups.keys()])
  const drains: Drain[] = []
  const sweepOne = async (member: WaitingMember) => {
    const drain = await seenThrough(ports, groups.get(member.group), member)
    if (drain) drains.push(drain)
  }
  // What fails of one keeps no other one from being gone on with.
  await tryAll([() => onEach(members, sweepOne), () => goOnLooking(ports, drains)])
}

/** @returns its drain, where that is under way */
async function seenThrough(
  ports: Needs,
  group: GroupConfig | undefined,
  member: WaitingMember,
): Promise<Drain | undefined> {
  if (!group) return undefined
  if (member.state === 'pending-wait') {
    await letIn(ports, group, member)
    return undefined
  }
  const drain = await ports.store.drain(lifecycleDrainId(member.instanceId, group.terminateHook))
  if (drain && drain.phase.name !== 'ended') return drain
  await drainAtLast(ports, group, member)
  return undefined
}

async function drainAtLast(
  ports: Needs,
  group: GroupConfig,
  { instanceId, state }: WaitingMember,
): Promise<void> {
  const { name, terminateHook: hook } = group
  const isRetained = state === 'retained'
  const action = { group: name, hook, instanceId }
  const isOver = isRetained
    ? await isInstanceGone(ports, instanceId, ports.clock.now())
    : (await ports.lifecycleActions.heartbeat(action)) === 'over'
  if (isOver) return
  const now = ports.clock.now()
  const why = isRetained ? 'it is retained, and nobody drains it' : 'it waits there, and nobody drains it'
  const result = await startDrain(
    ports,
    lifecycleRequest({
      target: { ...lifecycleTargetOf(group, action), ...(isRetained && { isRetained }) },
      who: `auto scaling group ${name}`,
      why: `${hook}: found by the sweep: ${why}`,
      order: orderOf(now),
      requestedAt: now,
      deadlineAt: now + 1000 * (isRetained ? group.drainDeadlineSeconds : deadlineOf(ports, group)),
    }),
  )
  if (result === 'started') await publishSwept(ports, { what: 'instance', instanceId, hook, why })
}

/** An instance whose event was lost has waited for so long at most, in seconds, while the sweep runs. */
const foundWithin = 180

/**
 * In seconds from now, so that the policy decides, and not Auto Scaling, whose clock began with the wait.
 * Half of what the settings have is left in any case: a deadline that has passed would end calls at once.
 */
function deadlineOf({ config }: Needs, group: GroupConfig): number {
  const { drainDeadlineSeconds, heartbeatTimeoutSeconds } = group
  const { latest } = latestDeadline(group, config.timers)
  const inTime = latest - Math.min(foundWithin, heartbeatTimeoutSeconds)
  return Math.min(drainDeadlineSeconds, Math.max(inTime, drainDeadlineSeconds / 2))
}

/** The event of a launch comes within seconds. */
const launchedMs = 60_000

async function letIn(
  ports: Needs,
  { name, launchHook: hook }: GroupConfig,
  { instanceId }: WaitingMember,
): Promise<void> {
  if (hook === undefined) return
  const now = ports.clock.now()
  const facts = await instanceById(ports, instanceId, now - momentMs)
  if (!facts || now - facts.launchedAt < launchedMs) return
  const action = { group: name, hook, instanceId }
  if ((await ports.lifecycleActions.heartbeat(action)) === 'over') return
  await admit(ports, { instanceId, time: now })
  if ((await ports.lifecycleActions.complete(action, 'CONTINUE')) === 'over') return
  await publishSwept(ports, {
    ...{ what: 'launch', instanceId, hook },
    why: 'it waits there, and nobody lets it in',
  })
}
