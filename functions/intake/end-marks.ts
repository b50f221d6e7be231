import { hostsOf, type ListedDestination, sipUri } from '../control/destination.ts'
import { belongsTo, type Hold, isByChoice, type Subject } from '../control/hold.ts'
import { type InstanceFacts, isGone } from '../control/instance-life.ts'
import { ownerOf } from '../control/resolve.ts'
import { type InventoryNeeds, instancesAt, instancesById, momentMs } from '../stored/inventory.ts'
import { allListed, type Readout, storedLists, wasNowhere } from '../stored/lists.ts'
import { isFrozen } from './freeze.ts'
import { type LiftNeeds, lift } from './lift.ts'

export type MarkNeeds = LiftNeeds & InventoryNeeds
type Mark = Hold & { readonly subject: Extract<Subject, { readonly kind: 'instance' }> }

/**
 * A run has time to look for so many in all lists, to lift them and to publish it. The next minute does the
 * others.
 */
const endedAtOnce = 50
/**
 * Of each of these EC2 may be asked who has its addresses. It lets 20 requests a second through, and others
 * ask too.
 */
const lookedUpAtOnce = 10
/** A machine that was launched just now is admitted by its launch, not by the end of a mark. */
const admissionMs = 60_000

/**
 * Retired marks, and holds of whatever source, that have no reason any more are lifted: EC2 shows the machine
 * gone (or knows it no more) and no edge lists what it had, or a machine that was launched later has its
 * address. A mark ends also when its own machine was launched again. What the inventory shows decides on all
 * of them; those whose addresses have to be looked up, a few each minute. While a freeze is in force, alarms'
 * and operators' holds stay, but for those of which the address is another machine's: that one is let in.
 */
export async function endMarks(ports: MarkNeeds): Promise<void> {
  const now = ports.clock.now()
  const frozen = await isFrozen(ports)
  const marks = (await ports.store.holds()).flatMap(({ subject, ...hold }): Mark[] =>
    subject.kind === 'instance' ? [{ ...hold, subject }] : [],
  )
  const ids = marks.map(({ subject }) => subject.instanceId)
  const shown = await instancesById(ports, ids, now - momentMs)
  const factsOf = ({ subject }: Mark) => shown.get(subject.instanceId)
  const again = marks.filter((mark) => isLaunchedAgain(mark, factsOf(mark), now))
  const gone = marks.filter((mark) => isGone(factsOf(mark), mark.placedAt, now))
  if (again.length + gone.length === 0) return
  const lists = await storedLists(ports)
  const reasons = new Map<Hold, string>()
  for (const mark of again) reasons.set(mark, `${mark.subject.instanceId} was launched again`)
  const listed: Mark[] = []
  for (const mark of gone) {
    const stays = frozen && isByChoice(mark)
    const why = heirOf(mark, marks) ?? (stays ? undefined : notListed(mark, lists))
    if (why === undefined) listed.push(mark)
    else if (reasons.size < endedAtOnce) reasons.set(mark, why)
    else break
  }
  for (const mark of lookedUpNow(listed, now)) {
    const why = await newcomer(ports, mark, allListed(lists))
    if (why !== undefined) reasons.set(mark, why)
  }
  if (reasons.size > 0) await lift(ports, [...reasons.keys()], (mark) => reasons.get(mark) ?? '')
}

/** Of the mark's own machine: not in the life that was drained, but in a later one. */
function isLaunchedAgain({ source, subject }: Mark, facts: InstanceFacts | undefined, now: number): boolean {
  if (source !== 'retired' || subject.launchedAt === 0 || !facts) return false
  return facts.launchedAt > subject.launchedAt && facts.launchedAt <= now - admissionMs
}

/** A few each minute, others the next. */
function lookedUpNow(marks: readonly Mark[], now: number): Mark[] {
  const first = Math.floor(now / 60_000) % Math.max(1, marks.length)
  return [...marks.slice(first), ...marks.slice(0, first)].slice(0, lookedUpAtOnce)
}

function notListed(mark: Mark, lists: readonly Readout[]): string | undefined {
  if (!wasNowhere(lists, mark)) return undefined
  return `${mark.subject.instanceId} is gone and no edge lists ${mark.uris.join(', ') || 'it'}`
}

/** Of a machine that is gone, as far as marks show it. */
function heirOf({ subject, addresses }: Mark, marks: readonly Mark[]): string | undefined {
  const heir = marks.find(
    (other) =>
      subject.launchedAt > 0 &&
      other.subject.launchedAt > subject.launchedAt &&
      other.addresses.some((address) => addresses.includes(address)),
  )
  return heir && `${heir.id}, of a machine that was launched later, is on its address`
}

/**
 * Why the mark of a machine that is gone, and is listed still, ends: somebody else has a name or an address
 * that it is or was listed by.
 */
async function newcomer(
  ports: InventoryNeeds,
  mark: Mark,
  listed: readonly ListedDestination[],
): Promise<string | undefined> {
  const groups = ports.config.groups.map(({ name }) => name)
  const its = listed.filter((entry) => belongsTo(entry, mark))
  const hosts = new Set([...mark.uris.map((uri) => ({ uri })), ...its].flatMap(hostsOf))
  for (const host of hosts) {
    if (!sipUri(`sip:${host.includes(':') ? `[${host}]` : host}`)) continue
    const now = ownerOf(await instancesAt(ports, host), groups)
    if (!now || now.instanceId === mark.subject.instanceId) continue
    if (now.launchedAt > mark.subject.launchedAt && now.launchedAt <= ports.clock.now() - admissionMs)
      return `${now.instanceId}, launched later, has ${host}`
  }
  return undefined
}
