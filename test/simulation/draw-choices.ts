import { delivery, near, second } from './draw-parts.ts'
import { groupName, unknownSender } from './messages.ts'
import type {
  CallTrouble,
  ClearancePlan,
  EdgePlan,
  Fault,
  FloorPlan,
  Happening,
  SendersPlan,
  ServerPlan,
} from './plan.ts'
import type { Draws } from './random.ts'

interface Choices {
  /** more of them: of one or two there is little to leave */
  readonly servers: readonly ServerPlan[]
  readonly happenings: readonly Happening[]
  readonly faults: readonly Fault[]
  readonly clearance?: ClearancePlan
  readonly senders?: SendersPlan
}

/** In a third of the histories more is asked for than floors, limits or a freeze let begin. */
export function drawChoices(
  draws: Draws,
  edges: readonly EdgePlan[],
  servers: readonly ServerPlan[],
): Choices {
  if (!draws.chance(0.33)) return { servers: [], happenings: [], faults: [] }
  const more = drawServers(draws, edges)
  const place = { draws, servers: servers.length + more.length, at: draws.int(5, 200) * second }
  const clearance = draws.chance(0.8) ? drawClearance(draws) : undefined
  const senders = draws.chance(0.4) ? drawSenders(draws) : undefined
  const story = draws.weighted({ storm: 38, frozen: 32, operators: 22, heldUp: 8 })
  const others = draws.chance(0.3) ? stories.operators({ ...place, at: place.at + near(draws) }) : []
  const happenings = [...stories[story](place), ...others]
  return {
    ...{ servers: more, happenings },
    faults: story === 'heldUp' ? [heldUp(draws, place.at)] : several(draws, happenings),
    ...(clearance && { clearance }),
    ...(senders && { senders }),
  }
}

/** Their addresses are none of the others'. */
function drawServers(draws: Draws, edges: readonly EdgePlan[]): ServerPlan[] {
  const count = Number(draws.weighted({ 0: 55, 1: 20, 2: 15, 4: 8, 10: 2 }))
  const set = draws.chance(0.85) ? 1 : 2
  return Array.from({ length: count }, (_, index) => ({
    address: `10.0.2.${20 + index}`,
    port: 5060,
    namedBy: 'instance' as const,
    lines: edges.map((_edge, edge) => ({ edge, set, flags: 'AP' as const, listed: true })),
  }))
}

export function drawClearance(draws: Draws): ClearancePlan {
  const floors = draws.several(1, 2, () => drawFloor(draws))
  return {
    floors: draws.chance(0.8) ? floors : [],
    ...(draws.chance(0.35) && { atOnce: draws.int(1, 3) }),
  }
}

function drawFloor(draws: Draws): FloorPlan {
  const where = draws.weighted({ each: 50, one: 25, group: 25 })
  const at = { each: {}, one: { set: draws.int(1, 2) }, group: { group: groupName } }[where]
  const least = draws.weighted({ count: 45, percent: 45, callsPerServer: 10 })
  if (least === 'count') return { ...at, count: draws.int(1, 3) }
  if (least === 'percent') return { ...at, percent: draws.pick([1, 25, 50, 75]) }
  return { ...at, callsPerServer: draws.pick([1, 10]) }
}

function drawSenders(draws: Draws): SendersPlan {
  return { named: draws.chance(0.5), mostHolds: draws.pick([1, 2, 3, 200]) }
}

interface Place {
  readonly draws: Draws
  readonly servers: number
  readonly at: number
}

const troubles: readonly [CallTrouble, ...CallTrouble[]] = [
  ...(['refused', 'done but an error', 'slow', 'dies before', 'dies after', 'frozen', 'frozen'] as const),
]

function several(draws: Draws, happenings: readonly Happening[]): Fault[] {
  return draws.chance(0.35) ? [drawFault(draws, happenings)] : []
}

/** Whoever places a hold first is held up for longer than it has the right to decide. */
function heldUp(draws: Draws, from: number): Fault {
  const on = draws.pick(['store.placeWaiting', 'store.putHold'])
  return { kind: 'call', from, on, nth: 1, what: 'frozen', ms: draws.pick([12_000, 25_000]) }
}

/** A call of the clearance's own goes wrong about when it is decided. */
function drawFault(draws: Draws, happenings: readonly Happening[]): Fault {
  const at = happenings[draws.int(0, happenings.length - 1)]?.at ?? 0
  const what = draws.pick(troubles)
  return {
    kind: 'call',
    from: at,
    on: draws.pick([
      'store.placeWaiting',
      'store.placeWaiting',
      'store.putHold',
      'store.putWaiting',
      'store.waiting',
      'store.dropWaiting',
      'store.freeze',
      'store.putFreeze',
      'store.holds',
    ]),
    nth: draws.int(1, 3),
    what,
    ms: what === 'slow' || what === 'frozen' ? draws.pick([300, 2000, 12_000, 25_000]) : 0,
  }
}

/** At the same moment, within two seconds, or one after the other. */
function times({ draws, at }: Place, count: number): number[] {
  const within = draws.pick([0, 50, 2000, 2000, 60_000])
  return Array.from({ length: count }, () => at + draws.int(0, within))
}

function alarms(place: Place, state: 'ALARM' | 'OK', share: number): Happening[] {
  const { draws, servers } = place
  const its = Array.from({ length: servers }, (_, server) => server).filter(() => draws.chance(share))
  const when = times(place, its.length)
  const together = draws.chance(0.6)
  return its.map((server, index) => ({
    ...{ at: when[index] ?? place.at, kind: 'alarm', server, state },
    delivery: together ? [100] : delivery(draws),
  }))
}

function commands(place: Place, command: 'drain' | 'activate', most: number): Happening[] {
  const { draws, servers } = place
  const its = draws.several(1, most, () => draws.int(0, servers - 1))
  const when = times(place, its.length)
  const isLoop = draws.chance(0.4)
  return its.map((server, index) => ({
    ...{ at: when[index] ?? place.at, kind: 'operator', server, command, delivery: delivery(draws) },
    sender: isLoop ? 1 : draws.int(0, unknownSender),
    ...(command === 'drain' && draws.chance(0.2) && { force: true as const }),
  }))
}

const stories = {
  /** Every server's alarm at about one time; later most of them are over. */
  storm: (place: Place): Happening[] => {
    const { draws, at } = place
    const over = at + draws.int(20, 240) * second
    return [
      ...alarms(place, 'ALARM', 0.9),
      ...(draws.chance(0.7) ? alarms({ ...place, at: over }, 'OK', 0.8) : []),
      ...(draws.chance(0.3) ? commands({ ...place, at: at + near(draws) }, 'activate', 2) : []),
    ]
  },
  /** Alarms and operators ask for drains, and for the end of others, while a freeze is in force. */
  frozen: (place: Place): Happening[] => {
    const { draws, at } = place
    const lasts = draws.chance(0.5) ? draws.int(20, 240) * second : undefined
    const sender = draws.chance(0.85) ? draws.int(0, unknownSender - 1) : unknownSender
    const ends = at + draws.int(30, 300) * second
    const inside = () => at + draws.int(1, 60) * second
    return [
      ...(draws.chance(0.6) ? alarms({ ...place, at: Math.max(0, at - 20 * second) }, 'ALARM', 0.3) : []),
      { at, kind: 'freeze', sender, delivery: delivery(draws), ...(lasts !== undefined && { lasts }) },
      ...alarms({ ...place, at: inside() }, 'ALARM', 0.5),
      ...(draws.chance(0.6) ? alarms({ ...place, at: inside() }, 'OK', 0.4) : []),
      ...(draws.chance(0.6) ? commands({ ...place, at: inside() }, 'drain', 3) : []),
      ...(draws.chance(0.4) ? commands({ ...place, at: inside() }, 'activate', 2) : []),
      ...(lasts === undefined || draws.chance(0.3)
        ? [{ at: ends, kind: 'unfreeze', delivery: delivery(draws) } as const]
        : []),
    ]
  },
  /** A freeze is asked for while somebody is about to place what it has decided on. */
  heldUp: (place: Place): Happening[] => {
    const { draws, servers, at } = place
    const after = draws.int(300, 3000)
    const ends = at + draws.int(60, 200) * second
    return [
      { at, kind: 'alarm', server: draws.int(0, servers - 1), state: 'ALARM', delivery: [100] },
      { at: at + after, kind: 'freeze', delivery: [100] },
      { at: ends, kind: 'unfreeze', delivery: delivery(draws) },
    ]
  },
  /** Several senders, or one in a loop. */
  operators: (place: Place): Happening[] => {
    const { draws, at } = place
    const over = at + draws.int(5, 200) * second
    return [
      ...commands(place, 'drain', 6),
      ...(draws.chance(0.6) ? commands({ ...place, at: over }, 'activate', 4) : []),
    ]
  },
}
