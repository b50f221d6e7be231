import type { WaitingDrain } from '../control/clearance.ts'
import { type DestinationUri, hostsOf, sipUri } from '../control/destination.ts'
import { DuplicateDestination, EdgesUnreadable, UnknownDestination } from '../control/errors.ts'
import type { Hold, ListedName, Scope, Subject } from '../control/hold.ts'
import { type InstanceFacts, isGone, isUp } from '../control/instance-life.ts'
import { lookup } from '../control/listing.ts'
import { addressing, isDisabled } from '../control/plan.ts'
import { instanceDestinations, isInstanceId, namedDestination, ownerOf } from '../control/resolve.ts'
import type { Ports } from '../ports/ports.ts'
import {
  instanceById,
  instancesAt,
  instancesById,
  inventory,
  momentMs,
  unlessRefused,
} from '../stored/inventory.ts'
import { allListed, formerOf, type Readout, storedLists, unreadable } from '../stored/lists.ts'
import { onEach } from '../stored/on-each.ts'
import { readBack } from '../stored/read-back.ts'

/** What an alarm or an operator names, resolved against what the edges list. */
export type Target = Pick<
  Hold,
  'subject' | 'uris' | 'formerUris' | 'addresses' | 'wholeInstance' | 'group'
> & {
  readonly readouts: readonly Readout[]
}

/**
 * Resolves an instance id to its whole set, which may be listed later; anything else to exactly one
 * destination, of the instance that has its address where one can be told. While EC2 refuses, the bare id or
 * URI is the target: settle finds out the rest.
 * @param known URIs that the name may mean, too, although no edge may list them any more (a hold's)
 * @throws UnknownDestination, AmbiguousDestination, InvalidDestinationName; EdgesUnreadable while an edge
 * that can't be read may list it.
 */
export async function resolveTarget(
  ports: TargetNeeds,
  name: string,
  known: readonly DestinationUri[] = [],
): Promise<Target> {
  try {
    return await resolveIn(ports, name, known)
  } catch (error) {
    if (!(error instanceof UnknownDestination)) throw error
  }
  // The lists as they are stored may be a minute old.
  await readBack(ports, { notBefore: ports.clock.now() })
  return resolveIn(ports, name, known)
}

/** What waits for its hold, as it is found now. */
interface ShownNow {
  readonly open: readonly WaitingDrain[]
  /** it means a machine that is gone */
  readonly over: readonly { readonly waiting: WaitingDrain; readonly why: string }[]
}

/**
 * What waits for its hold, as a command for it would find it now: its machine may have been stopped and
 * started since, and then has another launch time, and perhaps other addresses. Or it is gone, and another
 * one has its address by now.
 * @returns it as it is while EC2 shows nothing else
 */
export async function asShownNow(ports: TargetNeeds, waiting: readonly WaitingDrain[]): Promise<ShownNow> {
  const now = ports.clock.now()
  const due = waiting.filter(({ beginsAt = 0, hold }) => beginsAt <= now && now - hold.placedAt > momentMs)
  const ids = due.flatMap(({ hold: { subject } }) =>
    subject.kind === 'instance' ? [subject.instanceId] : [],
  )
  const machines = await unlessRefused(instancesById(ports, ids, now - momentMs))
  if (machines === 'refused' || ids.length === 0) return { open: waiting, over: [] }
  const gone = due.filter(({ hold: { subject, placedAt } }) => {
    return subject.kind === 'instance' && isGone(machines.get(subject.instanceId), placedAt, now)
  })
  const up = gone.length > 0 ? await machinesUp(ports, now - momentMs) : []
  const over = gone.flatMap((each) => {
    const why = overBy(each.hold, up)
    return why === undefined ? [] : [{ waiting: each, why }]
  })
  const isOver = new Set(over.map((each) => each.waiting))
  const left = waiting.filter((each) => !isOver.has(each))
  return { over, open: await onEach(left, (each) => inItsLife(ports, each, machines)) }
}

async function machinesUp(ports: TargetNeeds, notBefore: number): Promise<readonly InstanceFacts[]> {
  const ours = await unlessRefused(inventory(ports, notBefore))
  return ours === 'refused' ? [] : ours.instances.filter(isUp)
}

/** Why what waits for a machine that is gone means nobody any more, or somebody else. */
function overBy(
  { subject, addresses, uris }: WaitingDrain['hold'],
  up: readonly InstanceFacts[],
): string | undefined {
  if (subject.kind === 'uri') return undefined
  const { instanceId, launchedAt } = subject
  if (launchedAt === 0) return `EC2 shows no machine ${instanceId} that is up`
  const hosts = new Set([...addresses, ...uris.flatMap((uri) => hostsOf({ uri }))])
  const heir = up.find((other) => other.addresses.some((address) => hosts.has(address)))
  return heir && `${instanceId} is gone, and ${heir.instanceId} has its address`
}

async function inItsLife(
  ports: TargetNeeds,
  waiting: WaitingDrain,
  machines: ReadonlyMap<string, InstanceFacts>,
): Promise<WaitingDrain> {
  const { subject, wholeInstance, uris } = waiting.hold
  const facts = subject.kind === 'instance' ? machines.get(subject.instanceId) : undefined
  const name = wholeInstance ? facts?.instanceId : uris[0]
  if (!facts || name === undefined || isSameLife(subject, facts)) return waiting
  const found = await unlessRefused(resolveIn(ports, name, uris))
  if (found === 'refused') return waiting
  const { readouts: _, ...target } = found
  const { formerUris: _former, group: _group, ...asked } = waiting.hold
  return { ...waiting, hold: { ...asked, ...target } }
}

function isSameLife(subject: Subject, { launchedAt }: InstanceFacts): boolean {
  return subject.kind === 'instance' && subject.launchedAt === launchedAt
}

/** What holds were placed on, as they know it: it may have left the lists since, or EC2. */
export function targetOf(holds: readonly Hold[], readouts: readonly Readout[] = []): Target | undefined {
  const [hold] = holds
  if (!hold) return undefined
  const { subject, formerUris, wholeInstance, group } = hold
  return {
    ...{ subject, wholeInstance, readouts },
    uris: [...new Set(holds.flatMap(({ uris }) => uris))],
    addresses: [...new Set(holds.flatMap(({ addresses }) => addresses))],
    ...(formerUris && { formerUris }),
    ...(group !== undefined && { group }),
  }
}

/**
 * An instance that is held as a whole, as its holds know it: that needs neither EC2, which may refuse, or
 * have forgotten it, nor a list.
 */
export function heldInstance(
  holds: readonly Hold[],
  instanceId: string,
  readouts: readonly Readout[],
): Target | undefined {
  const whole = holds.filter(
    ({ subject, wholeInstance }) =>
      wholeInstance && subject.kind === 'instance' && subject.instanceId === instanceId,
  )
  return targetOf(whole, readouts)
}

export type TargetNeeds = Pick<Ports, 'store' | 'settles' | 'instances' | 'config' | 'clock' | 'ids'>

async function resolveIn(
  ports: TargetNeeds,
  name: string,
  known: readonly DestinationUri[],
): Promise<Target> {
  const readouts = await storedLists(ports)
  const listed = allListed(readouts)
  try {
    if (isInstanceId(name)) {
      const facts = await unlessRefused(instanceById(ports, name, ports.clock.now() - momentMs))
      if (facts === 'refused')
        return heldInstance(await ports.store.holds(), name, readouts) ?? bare(name, readouts)
      if (!facts) throw new UnknownDestination(`EC2 knows no instance ${name}`)
      return wholeTargets(readouts, listed, known)(facts)
    }
    const uris = namedDestination(name, listed, known)
    const [uri] = uris
    // What an edge resolved a name to is what EC2 knows the machine by.
    const hosts = listed.flatMap((entry) => (entry.uri === uri ? hostsOf(entry) : []))
    const host = hosts.at(-1) ?? (uri && sipUri(uri)?.host)
    if (!uri || !host) throw new UnknownDestination(`no edge lists a destination that "${name}" names`)
    const groups = ports.config.groups.map((group) => group.name)
    const found = await unlessRefused(instancesAt(ports, host))
    const facts = found === 'refused' ? undefined : ownerOf(found, groups)
    const owner = facts
      ? instanceTarget(facts)
      : { subject: { kind: 'uri', uri } as const, addresses: [host] }
    return { ...owner, uris, wholeInstance: false, readouts }
  } catch (error) {
    const unread = unreadable(readouts)
    if (error instanceof UnknownDestination && unread.length > 0)
      throw new EdgesUnreadable(`${error.message}; but not every edge can be read: ${unread.join('; ')}`)
    throw error
  }
}

function bare(instanceId: string, readouts: readonly Readout[]): Target {
  const subject = { kind: 'instance', instanceId, launchedAt: 0 } as const
  return { subject, uris: [], addresses: [], wholeInstance: true, readouts }
}

/**
 * @returns what throws DuplicateDestination for a target that a set of an edge lists more than once without
 * distinct duids. The lists are indexed once, however many targets there are.
 */
export function duplicatesIn(readouts: readonly Readout[]): (target: Scope) => void {
  const edges = readouts.flatMap((readout) =>
    'listed' in readout
      ? [{ edge: readout.edge, find: lookup(readout.listed), addressOf: addressing(readout.listed) }]
      : [],
  )
  return (target) => {
    for (const { edge, find, addressOf } of edges) {
      const first = find(target).find((entry) => !isDisabled(entry) && !addressOf(entry))
      if (first)
        throw new DuplicateDestination(
          `edge ${edge} lists ${first.uri} more than once in set ${first.set}; give its entries distinct duids, or list it once`,
        )
    }
  }
}

/** @returns the target that a whole machine is: all that is listed of it or `known`, and was listed. */
export function wholeTargets(
  readouts: readonly Readout[],
  listed: readonly ListedName[],
  known: readonly DestinationUri[] = [],
): (facts: InstanceFacts) => Target {
  const former = formerOf(readouts)
  return (facts) => {
    const uris = instanceDestinations(facts, listed, known)
    return { ...instanceTarget(facts), uris, ...former(facts, uris), wholeInstance: true, readouts }
  }
}

function instanceTarget(facts: InstanceFacts): Pick<Target, 'subject' | 'addresses' | 'group'> {
  return {
    subject: { kind: 'instance', instanceId: facts.instanceId, launchedAt: facts.launchedAt },
    addresses: facts.addresses,
    ...(facts.group !== undefined && { group: facts.group }),
  }
}
