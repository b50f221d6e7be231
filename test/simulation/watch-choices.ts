import type { ControlEvent } from '../../functions/contracts/events.ts'
import { type HoldWritten, type Scope, spelled } from './choices.ts'
import type { LosingStore } from './drain-rows.ts'
import type { RunTrace } from './incidents.ts'
import type { World } from './world.ts'

type Hold = Parameters<LosingStore['putHold']>[0]

/** Under which name the right to decide what may begin is in the table. */
const leaseName = '/clearance'
const isByChoice = ({ source }: Pick<Hold, 'source'>) => source === 'alarm' || source === 'operator'

/** The store, where what is asked for by choice is noted, and what becomes of it. */
export function watched(
  store: LosingStore,
  {
    plan,
    clock,
    runs,
    lists,
    truth,
    faults,
  }: Pick<World, 'plan' | 'clock' | 'runs' | 'lists' | 'truth' | 'faults'>,
): LosingStore {
  const { choices } = truth
  const noted = (what: (at: number, run: RunTrace | undefined) => void) =>
    what(choices.at(clock.now()), runs.currentTrace())
  const scopeOf = (hold: Hold) => scope(hold, { plan, lists, truth })
  const writes = (hold: Hold) =>
    noted((at, run) => {
      const { lifted, order } = hold
      const state: Omit<HoldWritten, keyof Scope> = {
        ...{ at, run, order, isByChoice: isByChoice(hold), isLifted: lifted !== undefined },
        liftedBy: lifted?.sender?.id,
      }
      choices.writesHold({ ...scopeOf(hold), ...state })
    })
  const drainWritten = ({ hold, phase }: Parameters<LosingStore['putDrain']>[0]) =>
    noted((at) => choices.drains.push({ at, key: scopeOf(hold).key, phase: phase.name, order: hold.order }))
  return {
    ...store,
    async putHold(hold, over) {
      const written = await store.putHold(hold, over)
      if (written === 'written') writes(hold)
      // What ends by itself is settled a little later.
      if (hold.endsAt !== undefined && hold.lifted) faults.lastAt = Math.max(faults.lastAt, clock.now())
      return written
    },
    async retire(lifted, mark) {
      await store.retire(lifted, mark)
      for (const hold of [lifted, mark]) writes(hold)
    },
    async putWaiting(waiting, over) {
      const written = await store.putWaiting(waiting, over)
      const { hold, since } = waiting
      if (written === 'written')
        noted((from, run) => choices.waitsFor({ ...scopeOf(hold), order: hold.order, from, since, run }))
      return written
    },
    async dropWaiting(waiting, superseded, event) {
      const isDropped = await store.dropWaiting(waiting, superseded, event)
      if (isDropped) noted((now) => choices.endWait(scopeOf(waiting.hold).key, now))
      return isDropped
    },
    async placeWaiting(waiting, lease, beganAt) {
      const written = await store.placeWaiting(waiting, lease, beganAt)
      if (written !== 'written') return written
      // What begins by itself is settled a little later.
      faults.lastAt = Math.max(faults.lastAt, clock.now())
      writes(waiting.hold)
      return written
    },
    async putFreeze(freeze) {
      const written = await store.putFreeze(freeze)
      const { until = Number.POSITIVE_INFINITY, ended, sender } = freeze
      if (written === 'written')
        noted((at) => choices.freezes.push({ at, until, isEnded: ended !== undefined, sender: sender?.id }))
      return written
    },
    async takeEdge(name, owner, now, until) {
      const generation = await store.takeEdge(name, owner, now, until)
      if (generation !== undefined && name === leaseName) noted((at, run) => choices.leases.push({ at, run }))
      return generation
    },
    async putDrain(drain) {
      const written = await store.putDrain(drain)
      if (written === 'written') drainWritten(drain)
      return written
    },
    async beginDrain(drain) {
      const written = await store.beginDrain(drain)
      if (written === 'written') drainWritten(drain)
      return written
    },
    async putReading(generation, found) {
      const written = await store.putReading(generation, found)
      const { edge, wanted, removedAt, askedAt, unreadable } = found.head
      const isRead = wanted >= 0 && removedAt === undefined
      const index = plan.edges.findIndex(({ id }) => id === edge)
      if (written === 'written')
        noted((at) => {
          const isUnreadable = unreadable !== undefined
          choices.heads.push({ edge: index, at, askedAt: isRead ? askedAt : undefined, isUnreadable })
        })
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
    servers: wholeInstance ? [...new Set([...named, ...addressed])] : [],
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
