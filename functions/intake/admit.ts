import { eventTypes } from '../contracts/names.ts'
import { InstanceUnknown } from '../control/errors.ts'
import { coversUri, type Hold, named } from '../control/hold.ts'
import type { InstanceFacts } from '../control/instance-life.ts'
import { isGone, mayBeUnknownYet } from '../control/instance-life.ts'
import { instanceDestinations } from '../control/resolve.ts'
import { type InventoryNeeds, instanceById, isInstanceGone, momentMs } from '../stored/inventory.ts'
import { allListed, storedLists, unreadable } from '../stored/lists.ts'
import { readBack } from '../stored/read-back.ts'
import { supersede } from './drop-waiting.ts'
import { type LiftNeeds, lift } from './lift.ts'

export type AdmitNeeds = LiftNeeds & InventoryNeeds

/**
 * A launch, and a time at which it was under way (epoch ms): what is placed on its machine later is of this
 * life.
 */
export interface Launch {
  readonly instanceId: string
  readonly time: number
}

/**
 * A machine was launched: the retired mark of its address ends, and so do the holds of dead machines that had
 * it before. What an operator or alarm holds of a machine that lives, or of a bare URI, stays. Not listed on
 * any edge: published, and nothing is activated. An edge that can't be read, or not in time, may list what
 * its holds name; it is restored when it is back.
 * @throws InstanceUnknown while EC2 may not know the machine yet
 */
export async function admit(ports: AdmitNeeds, launch: Launch): Promise<void> {
  const { instanceId } = launch
  const facts = await launchedInstance(ports, launch)
  // What was listed a moment ago counts.
  const notBefore = ports.clock.now()
  await readBack(ports, { notBefore })
  const readouts = await storedLists(ports)
  const unread = unreadable(readouts, notBefore)
  const holds = await ports.store.holds()
  const known = unread.length > 0 ? holds.flatMap((hold) => hold.uris) : []
  const isThere = facts !== undefined && !isGone(facts, launch.time, ports.clock.now())
  const uris = isThere ? instanceDestinations(facts, allListed(readouts), known) : []
  if (uris.length === 0)
    return ports.events.publish({
      type: eventTypes.launchUnlisted,
      detail: { instanceId, known: isThere, unread },
    })
  const isOfIts = (hold: Hold) => uris.some((uri) => coversUri(uri, hold))
  const itsHolds = holds.filter(isOfIts)
  const over: Hold[] = []
  for (const waiting of (await ports.store.waiting()).drains) {
    if (isOfIts(waiting.hold) && facts && (await isOver(ports, waiting.hold, facts, launch.time)))
      await supersede(ports, waiting, `launch of ${instanceId}`)
  }
  for (const hold of itsHolds) if (facts && (await isOver(ports, hold, facts, launch.time))) over.push(hold)
  const { lifted: ended, edges } = await lift(ports, over, `launch of ${instanceId}`)
  await ports.events.publish({
    type: eventTypes.launchAdmitted,
    detail: {
      instanceId,
      uris,
      ended: ended.map(named),
      still: itsHolds.filter((hold) => !ended.includes(hold)).map(named),
      edges,
    },
  })
}

/** @throws InstanceUnknown while EC2 may not know it yet */
export async function launchedInstance(
  ports: InventoryNeeds,
  { instanceId, time }: Launch,
): Promise<InstanceFacts | undefined> {
  const facts = await instanceById(ports, instanceId, ports.clock.now() - momentMs)
  if (!facts && mayBeUnknownYet(time, ports.clock.now()))
    throw new InstanceUnknown(`EC2 does not know ${instanceId} yet; the message comes again`)
  return facts
}

/**
 * A mark of an older life, or what a lifecycle action left of before this launch, or any hold of a machine
 * that is gone. What was requested for the launched one itself came after its launch.
 */
async function isOver(
  ports: InventoryNeeds,
  { source, subject, placedAt }: Hold,
  launched: InstanceFacts,
  time: number,
): Promise<boolean> {
  if (subject.kind !== 'instance') return source === 'retired'
  const { instanceId, launchedAt } = subject
  const isOfAction = source === 'lifecycle' || source === 'retired'
  // Root volume replaced, or back from a warm pool of running machines: it is launched again, and its launch
  // time is the former one. Its action was over before this launch began, also where somebody else has
  // completed it.
  if (isOfAction && instanceId === launched.instanceId && placedAt < time) return true
  if (source === 'retired') return (launchedAt || placedAt) < launched.launchedAt
  if (instanceId === launched.instanceId) return false
  // It may have gone this very moment, which is why its address was free.
  return isInstanceGone(ports, instanceId, placedAt)
}
