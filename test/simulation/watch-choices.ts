import type { ControlEvent } from '../../functions/contracts/events.ts'
import { type Choices, type HoldWritten, type Scope, spelled } from './choices.ts'
import type { LosingStore } from './drain-rows.ts'
import type { RunTrace } from './incidents.ts'
import type { World } from './world.ts'

type Hold = Parameters<LosingStore['putHold']>[0]

/** Under which name the right to decide what may begin is in the table. */
const leaseName = '/clearance'
const isByChoice = ({ source }: Pick<Hold, 'source'>) => source === 'alarm' || source === 'operator'

type Watched = Pick<World, 'plan' | 'clock' | 'runs' | 'lists' | 'truth' | 'faults'>

/** The store, where what is asked for by choice is noted, and what becomes of it. */
export function watched(store: LosingStore, world: Watched): LosingStore {
  const notes = new Notes(world)
  return {
    ...store,
    ...watchedHolds(store, notes),
    ...watchedWaits(store, notes),
    ...watchedDecisions(store, notes),
    ...watchedDrains(store, notes),
    async putReading(generation, found) {
      const written = await store.putReading(generation, found)
      const { edge, wanted, removedAt, askedAt, unreadable } = found.head
      const isRead = wanted >= 0 && removedAt === undefined
      const index = world.plan.edges.findIndex(({ id }) => id === edge)
      if (written === 'written')
        notes.note(({ heads }, at) => {
          const isUnreadable = unreadable !== undefined
          heads.push({ edge: index, at, askedAt: isRead ? askedAt : undefined, isUnreadable })
        })
      return written
    },
  }
}

/** What is written of choices, each with a time of its own and the run that did it. */
class Notes {
  private readonly world: Watched

  constructor(world: Watched) {
    this.world = world
  }

  note(what: (choices: Choices, at: number, run: RunTrace | undefined) => void): void {
    const { clock, runs, truth } = this.world
    what(truth.choices, truth.choices.at(clock.now()), runs.currentTrace())
  }

  scopeOf(hold: Hold): Scope {
    return scope(hold, this.world)
  }

  hold(hold: Hold): void {
    const { lifted, order } = hold
    this.note((choices, at, run) => {
      const state: Omit<HoldWritten, keyof Scope> = {
        ...{ at, run, order, isByChoice: isByChoice(hold), isLifted: lifted !== undefined },
        liftedBy: lifted?.sender?.id,
      }
      choices.writesHold({ ...this.scopeOf(hold), ...state })
    })
  }

  drain({ hold, phase }: Parameters<LosingStore['putDrain']>[0]): void {
    const { key } = this.scopeOf(hold)
    this.note(({ drains }, at) => drains.push({ at, key, phase: phase.name, order: hold.order }))
  }

  /** What begins or ends by itself is settled a little later. */
  byItself(): void {
    const { faults, clock } = this.world
    faults.lastAt = Math.max(faults.lastAt, clock.now())
  }
}

function watchedHolds(store: LosingStore, notes: Notes): Pick<LosingStore, 'putHold' | 'retire'> {
  return {
    async putHold(hold, over) {
      const written = await store.putHold(hold, over)
      if (written === 'written') notes.hold(hold)
      if (hold.endsAt !== undefined && hold.lifted) notes.byItself()
      return written
    },
    async retire(lifted, mark) {
      await store.retire(lifted, mark)
      for (const hold of [lifted, mark]) notes.hold(hold)
    },
  }
}

function watchedWaits(
  store: LosingStore,
  notes: Notes,
): Pick<LosingStore, 'putWaiting' | 'dropWaiting' | 'placeWaiting'> {
  return {
    async putWaiting(waiting, over) {
      const written = await store.putWaiting(waiting, over)
      const { hold, since } = waiting
      if (written === 'written')
        notes.note((choices, from, run) =>
          choices.waitsFor({ ...notes.scopeOf(hold), order: hold.order, from, since, run }),
        )
      return written
    },
    async dropWaiting(waiting, superseded, event) {
      const isDropped = await store.dropWaiting(waiting, superseded, event)
      if (isDropped) notes.note((choices, now) => choices.endWait(notes.scopeOf(waiting.hold).key, now))
      return isDropped
    },
    async placeWaiting(waiting, lease, began) {
      const written = await store.placeWaiting(waiting, lease, began)
      if (written !== 'written') return written
      notes.byItself()
      notes.hold(waiting.hold)
      return written
    },
  }
}

function watchedDecisions(store: LosingStore, notes: Notes): Pick<LosingStore, 'putFreeze' | 'takeEdge'> {
  return {
    async putFreeze(freeze) {
      const written = await store.putFreeze(freeze)
      const { until = Number.POSITIVE_INFINITY, ended, sender } = freeze
      if (written === 'written')
        notes.note(({ freezes }, at) =>
          freezes.push({ at, until, isEnded: ended !== undefined, sender: sender?.id }),
        )
      return written
    },
    async takeEdge(name, owner, now, until) {
      const generation = await store.takeEdge(name, owner, now, until)
      if (generation !== undefined && name === leaseName)
        notes.note(({ leases }, at, run) => leases.push({ at, run }))
      return generation
    },
  }
}

function watchedDrains(store: LosingStore, notes: Notes): Pick<LosingStore, 'putDrain' | 'beginDrain'> {
  return {
    async putDrain(drain) {
      const written = await store.putDrain(drain)
      if (written === 'written') notes.drain(drain)
      return written
    },
    async beginDrain(drain) {
      const written = await store.beginDrain(drain)
      if (written === 'written') notes.drain(drain)
      return written
    },
  }
}

function scope(
  { source, id, subject, uris, addresses, wholeInstance, sender, force }: Hold,
  { plan: { servers }, lists: { lists }, truth }: Pick<World, 'plan' | 'lists' | 'truth'>,
): Scope {
  const named = uris.flatMap((uri) => lists.serverOf(uri) ?? [])
  const addressed = servers.flatMap(({ address }, index) => (addresses.includes(address) ? [index] : []))
  // EC2 may not show its address yet.
  const meant = truth.machines.flatMap((machine) =>
    subject.kind === 'instance' && machine.id === subject.instanceId ? [machine.server] : [],
  )
  return {
    key: `${source}/${id}`,
    subject: subject.kind === 'uri' ? subject.uri : `${subject.instanceId} ${subject.launchedAt}`,
    uris: uris.map(spelled),
    // A scale-in's hold is placed by the machine's id, and takes it from then on.
    servers: wholeInstance
      ? [...new Set([...named, ...addressed, ...(source === 'lifecycle' ? meant : [])])]
      : [],
    places: [...new Set([...named, ...addressed, ...meant])],
    sender: sender?.id,
    isForced: force !== undefined,
  }
}

/** Notes that a freeze was answered, and which of many were refused. */
export function choicesAnswered({ truth: { choices, machines }, clock }: Pick<World, 'truth' | 'clock'>) {
  return ({ type, detail }: ControlEvent): void => {
    if (type !== 'Command Answered') return
    if (detail.command === 'freeze' && detail.result === 'frozen')
      choices.freezeAnswered(choices.at(clock.now()))
    if (detail.command !== 'drain' || detail.result !== 'bulk') return
    const order = Number(detail.id.replace('command-', ''))
    for (const { target, result } of detail.members)
      if (result === 'refused')
        choices.refused.push({ order, server: machines.find(({ id }) => id === target)?.server })
  }
}
