import { mostAtStake } from '../contracts/settle-request.ts'
import type { EdgeResult } from '../control/edge-result.ts'
import type { Hold } from '../control/hold.ts'
import type { EdgeHead, Reading, Readings, UnreadRow } from '../control/reading.ts'
import { hasCounted, readable, readingsAt } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import { pendingOn, resultsOn, resultWithout } from './edge-results.ts'
import { onEach } from './on-each.ts'

type Needs = Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>

/**
 * What a reading has to know: every change up to a value of the counter, or what was there at a time (epoch
 * ms).
 */
export interface Since {
  readonly wanted?: number
  readonly notBefore?: number
  /** the media servers' own counts are needed too */
  readonly machines?: boolean
  /**
   * a drain ends by nothing but this: an edge that answers each request late is waited for, too, but for so
   * long at most (ms)
   */
  readonly patientForMs?: number
}

/**
 * What is not known by then is not waited for: an edge that rests, and is read, or one that does not answer;
 * who is patient waits for a whole reading of an edge that answers each request at the last moment
 * (lib/control-function.ts).
 */
function patienceMs({ config }: Pick<Ports, 'config'>, patientForMs?: number): number {
  const rpcMs = config.timers.rpcTimeoutSeconds * 1000
  return patientForMs === undefined ? 2 * rpcMs + 2000 : Math.min(patientForMs, 10 * rpcMs + 2000)
}

/**
 * Waits until every edge has been read, or could not be, for a short while. Asks for a settle once there is
 * one that does not rest.
 */
export async function readBack(ports: Needs, since: Since): Promise<void> {
  const { store, clock, config } = ports
  const { rpcTimeoutSeconds, minWaitSeconds } = config.timers
  const waitsFrom = since.notBefore ?? clock.now()
  let askAt = Number.NEGATIVE_INFINITY
  await poll(ports, patienceMs(ports, since.patientForMs), looksWaitMs, async () => {
    const heads = await configured(store)
    const counter = await counterNow(store, heads, since)
    const missing = heads.filter((head) => !knows(head, since, waitsFrom, counter))
    const machinesAt = since.machines ? (readable(await store.machines())?.askedAt ?? 0) : waitsFrom
    if (heads.length > 0 && missing.length === 0 && machinesAt >= waitsFrom) return true
    const rested = missing.map((head) => restedFrom(head, since.wanted) + minWaitSeconds * 1000)
    const dueAt = Math.max(askAt, missing.length > 0 ? Math.min(...rested) : askAt)
    if (clock.now() < dueAt) return false
    // A run that was reading an edge already has left it as it is: only what is wanted makes it go round.
    askAt = clock.now() + rpcTimeoutSeconds * 1000
    await ask(ports, since)
    return false
  })
}

/** From when on its rest counts, epoch ms: see settle-fleet.ts. */
function restedFrom({ wanted, askedAt, unreadable }: EdgeHead, since = 0): number {
  return Math.max(unreadable?.at ?? 0, wanted >= since ? askedAt : 0)
}

/**
 * The same for a change of what is wanted, which the counter knows as `wanted`.
 * @returns what came of it on each edge, for a hold: as it was read first, since what comes later finds
 * nothing to do
 */
export async function changeReadBack(
  ports: Needs,
  wanted: number,
): Promise<(hold: Parameters<ReturnType<typeof resultsOn>>[0]) => Promise<EdgeResult[]>> {
  const { store, clock } = ports
  const askedAt = clock.now()
  const known = new Map<string, EdgeHead | ReturnType<typeof resultsOn>>()
  let heads: readonly EdgeHead[] = []
  await ask(ports, {})
  await poll(ports, patienceMs(ports), answersWaitMs, async () => {
    heads = await configured(store)
    const counter = await counterNow(store, heads, { wanted })
    const fresh = heads.filter((head) => !known.has(head.edge) && knows(head, { wanted }, askedAt, counter))
    await onEach(fresh, async (head) => {
      const reading = head.unreadable ? undefined : readable(await store.reading(head.edge))
      known.set(head.edge, reading ? resultsOn(ports, reading) : head)
    })
    return heads.length > 0 && known.size === heads.length
  })
  return (hold) =>
    onEach(heads, async ({ edge }) => {
      const found = known.get(edge)
      if (!found) return pendingOn(edge)
      return typeof found === 'function' ? found(hold) : resultWithout(found)
    })
}

/**
 * As it is now, with the calls of what these would hold, where that is not too many servers: an edge that was
 * read meanwhile, without them, is waited for as long again.
 */
export async function readBackWith(ports: Needs, atStake: readonly Hold[]): Promise<void> {
  const { settles, clock } = ports
  const notBefore = clock.now()
  const isAny = atStake.length > 0 && atStake.length <= mostAtStake
  if (isAny) await settles.ask({ kind: 'settle', notBefore, atStake: atStake.map(toCount) })
  await readBack(ports, { notBefore })
  if (!isAny) return
  await poll(ports, patienceMs(ports), answersWaitMs, async () => {
    const { edges } = await storedReadings(ports, notBefore)
    return edges.every((reading) => !reading.readable || hasCounted(reading, atStake))
  })
}

function ask({ settles }: Needs, { notBefore }: Since): Promise<void> {
  return settles.ask({ kind: 'settle', ...(notBefore !== undefined && { notBefore }) })
}

function toCount({ id, subject, uris, formerUris, addresses, wholeInstance }: Hold) {
  return {
    ...{ source: 'operator' as const, id, subject, wholeInstance },
    ...{ uris: [...uris], addresses: [...addresses] },
    ...(formerUris && { formerUris: [...formerUris] }),
  }
}

/**
 * At the longest between two polls. 500 looks at once that polled 50 heads twice a second were throttled by
 * the heads' partition.
 */
const looksWaitMs = 2000
/** Somebody waits for the outcome of a command. */
const answersWaitMs = 500

async function poll(
  { clock }: Needs,
  patience: number,
  longestMs: number,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const giveUpAt = clock.now() + patience
  for (
    let waitMs = 100;
    !(await isDone()) && clock.now() < giveUpAt;
    waitMs = Math.min(longestMs, waitMs * 2)
  )
    await clock.sleep(waitMs)
}

async function configured(store: Ports['store']): Promise<EdgeHead[]> {
  return (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
}

/**
 * As the counter is after the heads were read, where that matters: none of them names more, unless the
 * counter went back.
 */
async function counterNow(
  store: Ports['store'],
  heads: readonly EdgeHead[],
  { wanted = Number.POSITIVE_INFINITY }: Since,
): Promise<number> {
  return heads.some((head) => head.wanted > wanted) ? store.wanted() : wanted
}

function knows(
  { wanted, askedAt, unreadable }: EdgeHead,
  since: Since,
  waitedFrom: number,
  counter: number,
): boolean {
  if (unreadable) return unreadable.at >= waitedFrom
  if (wanted > counter) return false
  return wanted >= (since.wanted ?? 0) && askedAt >= (since.notBefore ?? 0)
}

/** All that a look reads, as it is stored now. @param at epoch ms: when the look began */
export async function storedReadings(
  { store, config }: Pick<Ports, 'store' | 'config'>,
  at: number,
): Promise<Readings> {
  const heads = await store.edgeHeads()
  const edges = await onEach(
    heads,
    async (head): Promise<{ head: EdgeHead; reading?: Reading | UnreadRow | undefined }> => ({
      head,
      // One that can't be read may be so because of what is stored of it.
      ...(head.removedAt === undefined && !head.unreadable && { reading: await store.reading(head.edge) }),
    }),
  )
  return readingsAt(at, edges, readable(await store.machines()), config.timers.longestCallSeconds)
}
