import type { DestinationUri, ListedDestination } from '../../functions/control/destination.ts'
import { type EdgeRecord, recordKey } from '../../functions/control/entry-record.ts'
import type { Hold } from '../../functions/control/hold.ts'
import { guardsToRead, type SettlePlan, settlePlan } from '../../functions/control/settle-plan.ts'
import { type Wanted, wantedOf } from '../../functions/control/wanted.ts'
import { type Decided, entryOf, oneOf, type Slot, type WalkOptions } from './settle-walk-edge.ts'
import { placeable, World, wrongIn } from './settle-walk-world.ts'

interface Reading {
  readonly wanted: Wanted
  readonly list: readonly ListedDestination[]
  /** what the bystander knows of it: what was listed, and as which version */
  readonly places: ReadonlyMap<Slot, number>
  readonly guards: ReadonlyMap<DestinationUri, boolean> | 'none'
  readonly boot: number
  readonly askedAt: number
}

/** A settle as it will be, from `wantedOf` and `settlePlan`. It yields wherever others may act. */
function* settle(world: World): Generator<void, void> {
  for (;;) {
    const generation = world.take()
    yield
    if (generation === undefined) return
    const counter = yield* underLease(world, generation)
    if (counter === undefined) return
    if (world.isMine(generation)) world.owner = 0
    yield
    if (world.counter === counter || world.options.without === 'wake') return
  }
}

/** @returns the counter that it has seen to, or undefined when the lease is lost */
function* underLease(world: World, generation: number): Generator<void, number | undefined> {
  let unanswered = false
  for (;;) {
    const { counter } = world
    yield
    const { holds } = world
    yield
    for (let round = 0; round < 4; round += 1) {
      const reading = yield* read(world, generation, holds)
      if (!reading) break
      if (!world.isMine(generation)) return undefined
      const moment: Moment = { reading, generation, unanswered, isLast: round === 3 }
      const plan = planned(world, moment)
      const answer: 'ok' | 'unanswered' | 'lost' = yield* doPlan(world, plan, moment)
      if (answer === 'lost') return undefined
      unanswered ||= answer === 'unanswered'
      if (plan.settled) {
        world.confirmed = counter
        break
      }
    }
    if (!world.isMine(generation)) return undefined
    if (world.counter === counter || world.options.without === 'wake') return counter
  }
}

function* read(
  world: World,
  generation: number,
  holds: readonly Hold[],
): Generator<void, Reading | undefined> {
  const { edge, now: askedAt } = world
  const list = edge.list()
  const { boot } = edge
  const listedNow = edge.slots.filter(({ shown }) => shown !== 'absent')
  const places = new Map(listedNow.map((slot) => [slot, slot.version]))
  const listed = world.answers(generation) && list.length > 0
  yield
  if (!listed) return undefined
  const wanted = wantedOf(holds, list)
  const asked = guardsToRead(wanted, [...world.records.values()])
  const guards = edge.hasGuard ? new Map(asked.map((uri) => [uri, edge.guards.has(uri)])) : 'none'
  const known = world.answers(generation)
  yield
  return known ? { wanted, list, places, guards, boot, askedAt } : undefined
}

interface Moment {
  readonly reading: Reading
  readonly generation: number
  readonly unanswered: boolean
  /** what is planned is not written any more */
  readonly isLast: boolean
}

function planned(world: World, { reading, generation, unanswered, isLast }: Moment): SettlePlan {
  const { without } = world.options
  const plan = settlePlan({
    ...reading,
    opaque: [],
    boot: String(reading.boot),
    records: [...world.records.values()].map((record) => forgetting(record, reading, without)),
    generation,
    unanswered: unanswered && without !== 'unanswered',
    isLast: isLast && without !== 'last look',
    answeredAt: world.now,
  })
  if (without !== 'two readings') return plan
  const calm = plan.put.filter(({ calmSince }) => calmSince !== undefined)
  return { ...plan, put: plan.put.filter((one) => !calm.includes(one)), drop: [...plan.drop, ...calm] }
}

/** A record as a store without this clause would have it. */
function forgetting(
  record: EdgeRecord,
  { list, boot }: Reading,
  without: WalkOptions['without'],
): EdgeRecord {
  if (record.kind === 'guard') return record
  const { sent, ...rest } = record
  if (without === 'sent') return rest
  if (without !== 'identity') return record
  const iuid = list.find((entry) => entryOf(entry) === entryOf(record))?.iuid ?? ''
  return { ...record, identity: `${boot} ${iuid}` }
}

/** Records first, then what is written, in one batch or one by one. */
function* doPlan(
  world: World,
  plan: SettlePlan,
  moment: Moment,
): Generator<void, 'ok' | 'unanswered' | 'lost'> {
  const { generation, reading } = moment
  const written = moment.isLast ? [] : plan.writes
  const decided = written.map((write): Decided => {
    if ('held' in write) return { write }
    const { set, uri, duid } = write
    const places = [...reading.places].filter(([slot]) => slot.set === set && slot.uri === uri)
    const [slot, version] = places.find(([one]) => duid === undefined || one.duid === duid) ?? []
    return { write, slot, ...(version !== undefined && { version }) }
  })
  const writesFirst = world.options.without === 'records first'
  if (!writesFirst) yield* save(world, plan, decided, moment)
  let answer: 'ok' | 'unanswered' = 'ok'
  const inOne = world.random() < 0.5
  for (const batch of inOne && decided.length > 0 ? [decided] : decided.map((one) => [one])) {
    if (!world.isMine(generation)) return 'lost'
    // A frozen function: only the fence stops what it sends when it goes on.
    if (world.options.fence) yield
    const came = world.request(batch, generation, moment.reading.boot)
    if (came === 'stale') return 'lost'
    if (came === 'unanswered') answer = came
    yield
  }
  if (writesFirst) yield* save(world, plan, decided, moment)
  return answer
}

/** Conditional on the lease. */
function* save(
  world: World,
  { put, drop }: SettlePlan,
  decided: readonly Decided[],
  { generation, unanswered }: Moment,
): Generator<void, void> {
  if (!world.isMine(generation)) return
  for (const record of put) world.records.set(recordKey(record), record)
  for (const record of drop) world.records.delete(recordKey(record))
  for (const slot of world.edge.slots)
    if (slot.unread < generation || !unanswered) if (!world.edge.isTwin(slot)) slot.unread = 0
  for (const { write, slot, version } of decided) {
    if (!slot) continue
    // What is given back shows no D, whether it arrives or not.
    if ('state' in write && write.state === 'd') slot.unread = generation
    if (slot.version !== version && slot.own.startsWith('D')) slot.undecidable = true
  }
  if (put.length + drop.length > 0) yield
}

/** The settles that are at work. */
type Settles = Set<Generator<void, void>>

function happen(world: World, settles: Settles): void {
  const { edge, options, random } = world
  const chance = random()
  const disturbed = !options.quiet && !options.alone
  if (chance < 0.06) world.want(oneOf(random, placeable))
  else if (chance < 0.07) world.asked += 1
  else if (chance < 0.12 && disturbed) disturb(world, chance)
  else if (chance < 0.16 && world.late.length > 0) {
    const [sent] = world.late.splice(Math.floor(random() * world.late.length), 1)
    if (sent) edge.execute(sent)
  } else if (chance < 0.19 && !options.quiet) world.expired = world.owner !== 0
  else if (chance < 0.21 && !options.quiet && settles.size > 0) settles.delete(oneOf(random, [...settles]))
  else if (settles.size > 0) step(world, settles)
  else if (chance > 0.9) world.asked += 1
}

/** Somebody has the edge refuse writes, edits its list, reloads or restarts it, or sets a state. */
function disturb(world: World, chance: number): void {
  const { edge, random } = world
  if (chance < 0.075) world.refuses = !world.refuses
  else if (chance < 0.085) edge.edit()
  else if (chance < 0.1) edge.reload((slot) => world.recorded(slot))
  else if (chance < 0.11) {
    edge.restart()
    // The connections are gone.
    if (!world.options.outliving) world.late = []
  } else {
    const slot = oneOf(random, edge.slots)
    if (slot.shown !== 'absent') edge.set(slot, edge.anyFlags(), world.recorded(slot))
  }
}

function step(world: World, settles: Settles): void {
  for (; world.asked > 0; world.asked -= 1) settles.add(settle(world))
  if (settles.size === 0) return
  const one = oneOf(world.random, [...settles])
  if (one.next().done) settles.delete(one)
}

function finish(world: World, settles: Settles): void {
  for (let steps = 0; world.asked + settles.size > 0; steps += 1) {
    if (steps > 10_000) throw new Error('a settle does not end')
    world.pass(200)
    step(world, settles)
  }
}

export interface WalkEnd {
  readonly wrong: readonly string[]
  /** entries of which nobody could tell what they would show without us */
  readonly undecidable: number
}

/**
 * One random history, then calm: whoever lives finishes, late requests arrive, and four times a minute's
 * settle comes.
 */
export function walk(seed: number, options: WalkOptions): WalkEnd {
  const world = new World(seed, options)
  const settles: Settles = new Set()
  const steps = 20 + Math.floor(world.random() * 160)
  for (let count = 0; count < steps; count += 1) {
    world.pass(Math.floor(world.random() * 900))
    happen(world, settles)
    for (; world.asked > 0; world.asked -= 1) settles.add(settle(world))
  }
  finish(world, settles)
  if (!options.quiet) {
    for (const sent of world.late.splice(0)) world.edge.execute(sent)
    world.calm = true
    for (let minute = 0; minute < 4; minute += 1) {
      world.pass(60_000)
      world.expired = true
      world.asked += 1
      finish(world, settles)
    }
  }
  return {
    wrong: wrongIn(world),
    undecidable: world.edge.slots.filter(({ undecidable }) => undecidable).length,
  }
}
