import { hostsOf, sipUri } from '../control/destination.ts'
import { belongsTo, type Hold } from '../control/hold.ts'
import { isGone } from '../control/instance-life.ts'
import { ownerOf } from '../control/resolve.ts'
import { instanceById, instancesAt, momentMs } from './inventory.ts'
import { lift } from './lift.ts'
import { allListed, storedLists, wasNowhere } from './lists.ts'
import type { Ports } from './ports.ts'

/** Each mark is one or two questions to EC2; 20 a second are let through, and others ask too. */
const marksAtOnce = 10
/** A machine that was launched just now is admitted by its launch, not by the end of a mark. */
const admissionMs = 60_000

/**
 * Retired marks, and holds of whatever source, that have no reason any more are lifted: EC2 shows the machine gone (or knows it no more)
 * and no edge lists what it had, or a machine that was launched later has its address. A few each time, in turn.
 */
export async function endMarks(
  ports: Pick<Ports, 'store' | 'clock' | 'settles' | 'workflows' | 'events' | 'instances' | 'config' | 'ids'>,
): Promise<void> {
  const marks = await ports.store.holds()
  if (marks.length === 0) return
  const lists = await storedLists(ports)
  const listed = allListed(lists)
  const reasons = new Map<Hold, string>()
  const first = Math.floor(ports.clock.now() / 60_000) % Math.max(1, marks.length)
  for (const mark of [...marks.slice(first), ...marks.slice(0, first)].slice(0, marksAtOnce)) {
    const its = listed.filter((entry) => belongsTo(entry, mark))
    const hosts = [...new Set([...mark.uris.map((uri) => ({ uri })), ...its].flatMap(hostsOf))]
    const why = await reasonToEnd(ports, mark, { hosts, mayBeListed: !wasNowhere(lists, mark), marks })
    if (why !== undefined) reasons.set(mark, why)
  }
  if (reasons.size > 0) await lift(ports, [...reasons.keys()], (mark) => reasons.get(mark) ?? '')
}

interface Around {
  /** names and addresses that it is or was listed by */
  readonly hosts: readonly string[]
  readonly mayBeListed: boolean
  readonly marks: readonly Hold[]
}

async function reasonToEnd(
  ports: Pick<Ports, 'store' | 'instances' | 'clock' | 'config' | 'ids'>,
  { subject, uris, addresses, placedAt }: Hold,
  { hosts, mayBeListed, marks }: Around,
): Promise<string | undefined> {
  if (subject.kind !== 'instance') return undefined
  const facts = await instanceById(ports, subject.instanceId, ports.clock.now() - momentMs)
  if (!isGone(facts, placedAt, ports.clock.now())) return undefined
  if (!mayBeListed) return `${subject.instanceId} is gone and no edge lists ${uris.join(', ') || 'it'}`
  const heir = marks.find(
    (other) =>
      other.subject.kind === 'instance' &&
      subject.launchedAt > 0 &&
      other.subject.launchedAt > subject.launchedAt &&
      other.addresses.some((address) => addresses.includes(address)),
  )
  if (heir) return `${heir.id}, of a machine that was launched later, is on its address`
  const groups = ports.config.groups.map(({ name }) => name)
  for (const host of hosts.filter((name) => sipUri(`sip:${name.includes(':') ? `[${name}]` : name}`))) {
    const now = ownerOf(await instancesAt(ports, host), groups)
    const admitted = now !== undefined && now.launchedAt <= ports.clock.now() - admissionMs
    if (admitted && now.instanceId !== subject.instanceId && now.launchedAt > subject.launchedAt)
      return `${now.instanceId}, launched later, has ${host}`
  }
  return undefined
}
