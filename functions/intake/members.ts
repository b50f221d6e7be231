import { destinationKey, hostsOf } from '../control/destination.ts'
import { EdgesUnreadable, EmptyTarget } from '../control/errors.ts'
import type { ListedName, Many } from '../control/hold.ts'
import { type InstanceFacts, type Inventory, isUp } from '../control/instance-life.ts'
import { inventory, momentMs } from '../stored/inventory.ts'
import { allListed, type Readout, storedLists, unreadable } from '../stored/lists.ts'
import { readBack } from '../stored/read-back.ts'
import { type Target, type TargetNeeds, wholeTargets } from './target.ts'

/** What a group, set or zone is made of. */
export interface Members {
  /** each as a command for it alone would find it */
  readonly targets: readonly Target[]
  readonly readouts: readonly Readout[]
  /** edges that could not be read, and why */
  readonly unread: readonly { readonly edge: string; readonly unreadable: string }[]
  /** what EC2 refused with: its machines are those that it showed last, and others may be there by now */
  readonly refusal: Error | undefined
}

/**
 * The running or pending machines of a group or zone of ours; of a set all that any edge lists in it, which
 * is a whole machine where one of our groups' has it, or else a URI. What an edge that can't be read alone
 * lists is not there.
 * @param isUrgent while EC2 refuses, what it showed last will do
 * @returns also none: see {@link nothingThere}
 */
export async function membersOf(ports: TargetNeeds, many: Many, isUrgent: boolean): Promise<Members> {
  const found = await membersNow(ports, many, isUrgent)
  if (found.targets.length > 0) return found
  // The lists as they are stored may be a minute old.
  await readBack(ports, { notBefore: ports.clock.now() })
  return membersNow(ports, many, isUrgent)
}

/** What is wrong with a command for many that is for nobody. */
export function nothingThere(
  { config }: Pick<TargetNeeds, 'config'>,
  many: Many,
  { readouts, refusal }: Members,
): Error {
  // A machine may be there that was launched since.
  if ('zone' in many)
    return refusal ?? new EmptyTarget(`EC2 shows no running machine of our groups in zone ${many.zone}`)
  if ('set' in many) {
    const empty = `no edge lists anything in set ${many.set}`
    const unread = unreadable(readouts)
    if (unread.length === 0) return new EmptyTarget(empty)
    return new EdgesUnreadable(`${empty}; but not every edge can be read: ${unread.join('; ')}`)
  }
  const ours = config.groups.map(({ name }) => name)
  if (ours.includes(many.group))
    return refusal ?? new EmptyTarget(`EC2 shows no running machine of ${many.group}`)
  return new EmptyTarget(`"${many.group}" is no group of ours; ours are: ${ours.join(', ') || 'none'}`)
}

async function membersNow(ports: TargetNeeds, many: Many, isUrgent: boolean): Promise<Members> {
  const readouts = await storedLists(ports)
  const listed = distinct(allListed(readouts))
  const wholeOf = wholeTargets(readouts, listed)
  const { instances, refusal } = isUrgent ? await shownLast(ports) : await shownNow(ports)
  const up = instances.filter(isUp)
  const unread = readouts.flatMap((readout) =>
    'unreadable' in readout ? [{ edge: readout.edge, unreadable: readout.unreadable }] : [],
  )
  if ('set' in many) {
    const inSet = allListed(readouts).filter(({ set }) => set === many.set)
    const targets = setTargets(distinct(inSet), listed, up.map(wholeOf), readouts)
    return { readouts, unread, refusal: undefined, targets }
  }
  const isIts = ({ group, zone }: InstanceFacts) =>
    'group' in many ? group === many.group : zone === many.zone
  return { readouts, unread, refusal, targets: up.filter(isIts).map(wholeOf) }
}

type Shown = Pick<Inventory, 'instances'> & Pick<Members, 'refusal'>

async function shownNow(ports: TargetNeeds): Promise<Shown> {
  const { instances } = await inventory(ports, ports.clock.now() - momentMs)
  return { instances, refusal: undefined }
}

/** @throws what EC2 refuses with, where it has shown nothing before */
async function shownLast(ports: TargetNeeds): Promise<Shown> {
  try {
    return await shownNow(ports)
  } catch (refusal) {
    const last = await ports.store.inventory()
    if (!last || !(refusal instanceof Error)) throw refusal
    return { instances: last.instances, refusal }
  }
}

/** Most edges list the same. */
function distinct(listed: readonly ListedName[]): ListedName[] {
  return [
    ...new Map(
      listed.map((entry) => [`${entry.uri} ${entry.address ?? ''} ${entry.duid ?? ''}`, entry]),
    ).values(),
  ]
}

/** @param machines of our groups; two may have one address, and then it is nobody's */
function setTargets(
  inSet: readonly ListedName[],
  listed: readonly ListedName[],
  machines: readonly Target[],
  readouts: readonly Readout[],
): Target[] {
  const owners = Map.groupBy(
    machines.flatMap((machine) => machine.uris.map((uri) => ({ uri, machine }))),
    ({ uri }) => destinationKey(uri),
  )
  const spellings = Map.groupBy(listed, ({ uri }) => destinationKey(uri))
  const found = new Set<Target>()
  for (const [key, [first]] of Map.groupBy(inSet, ({ uri }) => destinationKey(uri))) {
    const own = new Set((owners.get(key) ?? []).map(({ machine }) => machine))
    const [owner] = own
    if (owner && own.size === 1) found.add(owner)
    else if (first) found.add(uriTarget(first, spellings.get(key) ?? [first], readouts))
  }
  return [...found]
}

function uriTarget(
  { uri }: ListedName,
  spelled: readonly ListedName[],
  readouts: readonly Readout[],
): Target {
  const host = spelled.flatMap((entry) => hostsOf(entry)).at(-1)
  return {
    subject: { kind: 'uri', uri },
    uris: [...new Set(spelled.map((entry) => entry.uri))],
    addresses: host === undefined ? [] : [host],
    wholeInstance: false,
    readouts,
  }
}
