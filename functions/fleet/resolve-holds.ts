import type { ListedDestination } from '../control/destination.ts'
import { type Hold, isResolved, mayShowMore } from '../control/hold.ts'
import type { InstanceFacts, Inventory } from '../control/instance-life.ts'
import { mayBeUnknownYet } from '../control/instance-life.ts'
import { instanceDestinations } from '../control/resolve.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { instancesById, momentMs } from '../stored/inventory.ts'
import { allListed, formerOf, storedLists } from '../stored/lists.ts'
import { onEach } from '../stored/on-each.ts'
import { oneAtATime } from '../stored/one-at-a-time.ts'
import type { WantedHolds } from './wanted-holds.ts'

type Needs = Pick<EdgePorts, 'store' | 'clock' | 'ids' | 'config' | 'instances'>

const leaseName = '/holds'
/**
 * Longer than EC2 usually takes. When it takes longer, two runs fill in: neither writes over what the other
 * has.
 */
const leaseMs = 20_000
/**
 * While holds are placed one after the other, whoever resolves them goes on for so long. What is left then,
 * the next settle does.
 */
const goesOnForMs = 60_000
/**
 * Of a machine that is not young, what the inventory showed within this will do, once EC2 was asked since the
 * hold was placed.
 */
const oldEnoughMs = 55_000

/**
 * Fills in what EC2 shows of machines that are held: a hold is placed by the instance's id, before anything
 * is asked. One run at a time does it for all of them, and raises the counter where something is new. That is
 * looked for each time: a machine may be given an address while it is held, and what its tag names may be
 * listed later.
 * @throws what EC2 answered: what is held stays so
 */
export async function resolveHolds(ports: Needs, wantedHolds: WantedHolds): Promise<void> {
  const goesOnUntil = ports.clock.now() + goesOnForMs
  let refused: Error | undefined
  do {
    const resolved = await oneAtATime(ports, leaseName, leaseMs, () => resolve(ports, wantedHolds))
    if (!resolved) break
    refused = resolved.refused
    // Whoever placed a hold meanwhile found the lease taken, and has left it to this run, also where EC2
    // refuses.
    if ((await ports.store.wanted()) === resolved.wanted) break
  } while (ports.clock.now() < goesOnUntil)
  if (refused) throw refused
}

interface Resolved {
  /** holds were looked at up to this value of the counter */
  readonly wanted: number
  readonly refused?: Error | undefined
}

async function resolve(ports: Needs, wantedHolds: WantedHolds): Promise<Resolved> {
  // Not before the lease is had: 500 runs at once that read all holds are more than their partition gives in
  // ten seconds.
  const { wanted, holds } = await wantedHolds.now()
  const open = holds.filter(mayShowMore)
  if (open.length === 0) return { wanted }
  const stored = await ports.store.inventory()
  // What is to be disabled does not wait for EC2: the counter rises, and with it comes another round, which
  // asks.
  const known = await freshOf(
    ports,
    open.filter((hold) => !isResolved(hold)),
    byId(stored),
  )
  if (known.length > 0) {
    await fillIn(ports, known)
    return { wanted }
  }
  const { facts, askedAt, refused } = await factsOf(ports, open, stored)
  const fresh = await freshOf(ports, open, facts)
  // What is filled in raises the counter, and with it comes another round.
  if (fresh.length > 0) await fillIn(ports, fresh)
  else if (askedAt !== undefined) await noteShown(ports, open, askedAt)
  return { wanted, refused }
}

type Facts = ReadonlyMap<string, InstanceFacts>

function byId(stored: Inventory | undefined): Facts {
  return new Map((stored?.instances ?? []).map((each) => [each.instanceId, each]))
}

/**
 * Those of which more is shown than they cover. A tag may name what is listed later; addresses and duids each
 * settle finds by itself.
 */
async function freshOf(ports: Needs, open: readonly Hold[], facts: Facts): Promise<Fresh[]> {
  const shown = open.flatMap((hold): Fresh[] => {
    const found = hold.subject.kind === 'instance' ? facts.get(hold.subject.instanceId) : undefined
    return found && isOfItsLife(found, hold) ? [{ hold, shown: found }] : []
  })
  const isTagged = shown.some((each) => each.shown.taggedDestinations.length > 0)
  const listed = isTagged ? allListed(await storedLists(ports)) : []
  return shown.filter(
    ({ hold, shown: { addresses, instanceId, taggedDestinations } }) =>
      addresses.some((address) => !hold.addresses.includes(address)) ||
      (taggedDestinations.length > 0 &&
        instanceDestinations({ addresses, instanceId, taggedDestinations }, listed).some(
          (uri) => !hold.uris.includes(uri),
        )),
  )
}

interface Fresh {
  readonly hold: Hold
  readonly shown: InstanceFacts
}

async function fillIn({ store }: Needs, fresh: readonly Fresh[]): Promise<void> {
  const lists = await storedLists({ store })
  const [listed, former] = [allListed(lists), formerOf(lists)]
  // Also for those that were written before one failed.
  let isNew = true
  try {
    const written = await onEach(fresh, ({ hold, shown }) =>
      store.putHold(filledIn({ hold, shown }, listed, former), hold),
    )
    // Whoever has written something else since raises it for that.
    isNew = written.includes('written')
  } finally {
    if (isNew) await store.raiseWanted()
  }
}

/** The counter stays: no edge has anything to do for it. */
async function noteShown({ store }: Needs, open: readonly Hold[], shownAt: number): Promise<void> {
  const unshown = open.filter((hold) => hold.shownAt === undefined)
  await onEach(unshown, (hold) => store.putHold({ ...hold, shownAt }, hold))
}

/** What it covers already it goes on covering, also what no list names just now. */
function filledIn(
  { hold, shown }: Fresh,
  listed: readonly ListedDestination[],
  former: ReturnType<typeof formerOf>,
): Hold {
  const addresses = union(hold.addresses, shown.addresses)
  const instance = { ...shown, addresses }
  const uris = union(hold.uris, instanceDestinations(instance, listed))
  const formerUris = union(hold.formerUris ?? [], former(instance, uris).formerUris ?? [])
  return {
    ...hold,
    subject: { kind: 'instance', instanceId: shown.instanceId, launchedAt: shown.launchedAt },
    ...{ addresses, uris },
    ...(formerUris.length > 0 && { formerUris }),
    ...(shown.group !== undefined && { group: shown.group }),
  }
}

function union<T>(known: readonly T[], more: readonly T[]): T[] {
  return [...new Set([...known, ...more])]
}

/**
 * @returns what was shown last, however long ago, where EC2 refuses to show more: what is disabled needlessly
 * is given back. `askedAt`: all of it was asked then or later; absent where EC2 refuses
 */
async function factsOf(
  ports: Needs,
  open: readonly Hold[],
  stored: Inventory | undefined,
): Promise<{ readonly facts: Facts; readonly askedAt?: number; readonly refused?: Error }> {
  const now = ports.clock.now()
  const facts = byId(stored)
  const isOld = (stored?.askedAt ?? 0) < now - oldEnoughMs
  const vague = open.flatMap((hold) => {
    if (hold.subject.kind !== 'instance') return []
    const { instanceId, launchedAt } = hold.subject
    const isVague =
      isOld || !isResolved(hold) || hold.shownAt === undefined || mayBeUnknownYet(launchedAt, now)
    return isVague ? [instanceId] : []
  })
  // An address that it got just before it was held is its own, too.
  const askedAt = open.some(({ shownAt }) => shownAt === undefined) ? now : now - momentMs
  try {
    const more = await instancesById(ports, vague, askedAt)
    return { facts: new Map([...facts, ...more]), askedAt }
  } catch (error) {
    return { facts, refused: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** And not of a later one of the same id. */
function isOfItsLife({ launchedAt }: InstanceFacts, { subject }: Hold): boolean {
  return subject.kind === 'instance' && (subject.launchedAt === 0 || subject.launchedAt === launchedAt)
}
