import { type Clearance, decide, type WaitingDrain } from '../control/clearance.ts'
import type { ChosenHold } from '../control/drain.ts'
import { type Hold, type HoldName, holdKey } from '../control/hold.ts'
import { finishOwnClaims, type StartNeeds, startDrainOf } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { onEach } from '../stored/on-each.ts'
import {
  type ClearanceNeeds,
  type Cleared,
  clearanceView,
  clearDrains,
  patienceMs,
  rulesOf,
} from './clear-drains.ts'
import { supersedeWith } from './drop-waiting.ts'

/** A hold, when its window begins, and what it was asked for with. */
export type Asked = Omit<WaitingDrain, 'since'>

/**
 * Asks for drains by choice, all before any of them is decided on: each begins now, or waits in order without
 * a hold, and begins by itself.
 * @param never what is done with one that can't begin unless the fleet grows or the settings change;
 * `refused` writes nothing of it
 * @returns what came of each so far, by hold key; what failed keeps no other one back
 */
export async function askForAll(
  ports: ClearanceNeeds,
  asked: readonly Asked[],
  never: 'waits' | 'refused',
): Promise<ReadonlyMap<string, Cleared>> {
  const refused = never === 'refused' ? await neverBegin(ports, asked) : new Map<string, Cleared>()
  const found = await decided(
    ports,
    asked.filter(({ hold }) => !refused.has(holdKey(hold))),
  )
  for (const [key, cleared] of found)
    if (cleared.kind === 'never') found.set(key, { ...cleared, kind: 'waits' })
  return new Map([...refused, ...found])
}

/**
 * Found before anything is written, so that what such a request would replace waits on. What an earlier
 * delivery has asked for waits already, and something later may have been requested since.
 */
async function neverBegin(ports: ClearanceNeeds, asked: readonly Asked[]): Promise<Map<string, Cleared>> {
  if (rulesOf(ports).floors.length === 0) return new Map()
  const { drains } = await ports.store.waiting()
  const known = new Map(drains.map(({ hold }) => [holdKey(hold), hold.order]))
  const open = asked.filter(({ hold }) => known.get(holdKey(hold)) !== hold.order)
  const foreseen = await foreseeClearance(ports, open)
  const found = await onEach(open, async ({ hold }): Promise<[string, Cleared][]> => {
    const key = holdKey(hold)
    const clearance = foreseen.get(key)
    if (!clearance || clearance.clear || !clearance.never) return []
    if (await ports.store.isStale(hold)) return [[key, { kind: 'stale' }]]
    return [[key, { kind: 'never', because: clearance.because }]]
  })
  return new Map(found.flat())
}

/** The same for one. @throws what it failed of */
export async function askClearance(
  ports: ClearanceNeeds,
  asked: Asked,
  never: 'waits' | 'refused',
): Promise<Exclude<Cleared, { kind: 'failed' }>> {
  const cleared = (await askForAll(ports, [asked], never)).get(holdKey(asked.hold)) ?? undecided
  if (cleared.kind === 'failed') throw cleared.error
  return cleared
}

const undecided = { kind: 'waits', because: 'others are decided on first' } as const

async function decided(ports: ClearanceNeeds, asked: readonly Asked[]): Promise<Map<string, Cleared>> {
  const { clock } = ports
  const found = await putWaiting(ports, asked)
  const giveUpAt = clock.now() + patienceMs
  for (let waitMs = 50; ; waitMs = Math.min(500, waitMs * 2)) {
    const open = new Map(
      asked.flatMap(({ hold }) => (found.has(holdKey(hold)) ? [] : [[holdKey(hold), hold]])),
    )
    if (open.size === 0) return found
    for (const [key, cleared] of (await clearDrains(ports)) ?? [])
      if (open.delete(key)) found.set(key, cleared)
    const waits = await waitingOf(ports, [...open.values()])
    for (const [key, hold] of open)
      if (!waits.has(key)) found.set(key, await decidedByAnother(ports, hold))
      else if (clock.now() >= giveUpAt) found.set(key, undecided)
    if (found.size < asked.length) await clock.sleep(waitMs)
  }
}

/** @returns those that an earlier delivery has begun, or about which something later was requested */
async function putWaiting(ports: ClearanceNeeds, asked: readonly Asked[]): Promise<Map<string, Cleared>> {
  const holds = asked.map(({ hold }) => hold)
  const known = await waitingOf(ports, holds)
  const stale = await onEach(asked, async (each): Promise<[string, Cleared][]> => {
    const key = holdKey(each.hold)
    const isWritten = await putOver(ports, each, known.get(key))
    return isWritten ? [] : [[key, await ofEarlierDelivery(ports, each.hold)]]
  })
  return new Map(stale.flat())
}

/**
 * What waits of an older request is replaced, which is published with who asked for the newer one.
 * @returns false where it is stale
 */
async function putOver(ports: ClearanceNeeds, asked: Asked, known?: WaitingDrain): Promise<boolean> {
  const { store } = ports
  const { who, sender, why, order } = asked.hold
  const older = known && known.hold.order < order ? known : undefined
  const waiting = inPlace(asked, known?.since)
  const isWritten = older
    ? await supersedeWith(ports, older, who, { sender, why, order }, async (superseded, event) => {
        const put = await store.putWaiting(waiting, { waiting: older, superseded, event })
        return put === 'written'
      })
    : (await store.putWaiting(waiting)) === 'written'
  if (isWritten) return true
  // Another request may have come to wait since, or what was to be replaced has begun, or was dropped.
  const now = await store.waitingFor(asked.hold)
  const isAsBefore = now?.hold.order === known?.hold.order
  return !isAsBefore && putOver(ports, asked, now)
}

/**
 * A newer request about the same hold has the place of the one that waits; a replaced window has none.
 */
function inPlace(asked: Asked, known: number = asked.hold.placedAt): WaitingDrain {
  const { hold, beginsAt } = asked
  return { ...asked, since: beginsAt ?? Math.min(known, hold.placedAt) }
}

/**
 * What asking for these now would come to, decided as they would be, with all that wait. It asks for nothing.
 * @returns by hold key
 */
export async function foreseeClearance(
  ports: InventoryNeeds,
  asked: readonly Asked[],
): Promise<ReadonlyMap<string, Clearance>> {
  const waiting = new Map((await ports.store.waiting()).drains.map((each) => [holdKey(each.hold), each]))
  for (const each of asked) {
    const key = holdKey(each.hold)
    waiting.set(key, inPlace(each, waiting.get(key)?.since))
  }
  const decided = decide([...waiting.values()], await clearanceView(ports), rulesOf(ports))
  return new Map([...decided].map(([{ hold }, clearance]) => [holdKey(hold), clearance]))
}

/** Of a storm each asks for its own row: all rows for each of them grow with the square of the storm. */
async function waitingOf(
  { store }: Pick<Ports, 'store'>,
  holds: readonly ChosenHold[],
): Promise<ReadonlyMap<string, WaitingDrain>> {
  const [first, ...others] = holds
  if (!first) return new Map()
  const own = others.length === 0 ? [await store.waitingFor(first)] : (await store.waiting()).drains
  return new Map(own.flatMap((each) => (each ? [[holdKey(each.hold), each]] : [])))
}

async function decidedByAnother(ports: Pick<Ports, 'store'>, hold: ChosenHold): Promise<Cleared> {
  const placed = await placedAs(ports, hold)
  return placed ? { kind: 'begun', result: 'started', replaces: placed.replaces } : { kind: 'stale' }
}

/** What an earlier delivery has placed is begun, where its run was killed before that. */
async function ofEarlierDelivery(ports: StartNeeds, hold: ChosenHold): Promise<Cleared> {
  const placed = await placedAs(ports, hold)
  if (!placed) return { kind: 'stale' }
  return { kind: 'begun', result: await startDrainOf(ports, placed), replaces: placed.replaces }
}

async function placedAs(
  { store }: Pick<Ports, 'store'>,
  { source, id, subject, order }: ChosenHold,
): Promise<Hold | undefined> {
  const placed = await store.hold(source, id, subject)
  return placed?.order === order && !placed.lifted ? placed : undefined
}

/**
 * What an earlier delivery of a message has asked for, before what it names is looked for: it may have left
 * the lists since. What was claimed and could not be started is started.
 * @param order the message's
 * @returns the holds that it has placed, or that wait
 */
export async function ownRequests(ports: StartNeeds, order: string): Promise<Hold[]> {
  const placed = await finishOwnClaims(ports, order)
  const { drains } = await ports.store.waiting()
  return [...placed, ...drains.map(({ hold }) => hold).filter((hold) => hold.order === order)]
}

/** The same of a message that can have asked for one hold alone. */
export async function ownRequest(ports: StartNeeds, order: string, of: HoldName): Promise<Hold | undefined> {
  const placed = await finishOwnClaims(ports, order)
  const its = placed.find((hold) => holdKey(hold) === holdKey(of))
  const waiting = its ? undefined : await ports.store.waitingFor(of)
  return waiting?.hold.order === order ? waiting.hold : its
}
