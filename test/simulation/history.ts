import { drainId } from '../../functions/control/drain.ts'
import { usualUris } from './choices.ts'
import { keyOf } from './edge-truth.ts'
import { plantHappenings } from './happenings.ts'
import { incidentsOfRuns } from './incidents.ts'
import { guardKey } from './late-writes.ts'
import { policyCutsFrom } from './machines.ts'
import { senderIds, unknownSender, zoneOf } from './messages.ts'
import type { History, Seen } from './observed.ts'
import type { Happening, Plan } from './plan.ts'
import { retainedMs } from './referee-missed.ts'
import type { AllPorts } from './simulated-ports.ts'
import { createWorld, endingSeconds, longestCallSeconds, type World } from './world.ts'

const second = 1000
const minute = 60 * second
/** two minutes, and what the schedule has begun by then */
const calmAfter = 150 * second

/** Runs a plan to its end on a virtual clock. `sabotage` replaces ports, to see that the referee can fail. */
export async function runHistory(plan: Plan, sabotage?: (ports: AllPorts) => AllPorts): Promise<History> {
  const world = createWorld(plan, sabotage)
  await world.lookAround()
  plantHappenings(world)
  try {
    const calms = await untilCalm(world)
    await untilOver(world)
    const { unlike } = world.events
    if (unlike.length > 0) throw new Error(`events are not as their schemas say: ${unlike.join('; ')}`)
    return { ...historyOf(world), calms, last: await see(world), endedAt: world.clock.now() }
  } finally {
    world.stop()
  }
}

/**
 * @returns what is seen each time that it has been calm for long enough; the last one after all that happens
 */
async function untilCalm(world: World): Promise<Seen[]> {
  const { plan, clock, startedAt, faults, truth } = world
  const windows = plan.faults.flatMap((fault) => ('to' in fault ? [fault] : []))
  const ends = [...plan.happenings.map(endOf), ...windows.map(({ to }) => to)]
  const lastAt = startedAt + Math.max(0, ...ends)
  const calms: Seen[] = []
  for (let waits = 0; waits < longestHistory; waits += 1) {
    const now = clock.now()
    const begun = windows.flatMap(({ from, to }) => (startedAt + from <= now ? [startedAt + to] : []))
    const restlessAt = Math.max(faults.lastAt, ...begun, ...truth.goings.map(({ at }) => at))
    const isPending = truth.sent.some(({ pending }) => pending > 0)
    if (!isPending && now >= restlessAt + calmAfter) {
      if ((calms.at(-1)?.at ?? 0) < restlessAt + calmAfter) calms.push(await see(world))
      if (now >= lastAt + calmAfter) return calms
    }
    await clock.sleep(15 * second)
  }
  return calms
}

/** A freeze or a hold may end by itself, and a window begins later than it is asked for. */
function endOf(happening: Happening): number {
  const { at, kind } = happening
  if (kind === 'freeze') return at + (happening.lasts ?? 0)
  if (kind !== 'operator' && kind !== 'many') return at
  return at + Math.max(happening.beginsAfter ?? 0, happening.endsAfter ?? 0)
}

/** in waits of 15 s */
const longestHistory = 1200

/** Until every action has ended, or had the time to. */
async function untilOver(world: World): Promise<void> {
  const { clock, machines, truth, faults } = world
  const deadlines = truth.sent.map(({ about }) => (about.kind === 'terminate' ? about.deadlineAt : 0))
  const giveUpAt = Math.max(clock.now(), ...deadlines, faults.lastAt) + 12 * minute
  while (clock.now() < Math.max(giveUpAt, retainedUntil(world))) {
    machines.look()
    const isUp = truth.calls.some(({ to, machine }) => to > clock.now() && isLeaving(world, machine))
    const isRetained = clock.now() < retainedUntil(world)
    if (
      machines.actions.active().length === 0 &&
      !isUp &&
      !isRetained &&
      !truth.sent.some(({ pending }) => pending > 0)
    )
      break
    await clock.sleep(30 * second)
  }
  // What goes wrong in this very rest begins it anew.
  for (let rests = 0; rests < 20; rests += 1) {
    const rest = Math.max(...truth.goings.map(({ at }) => at), faults.lastAt) + calmAfter - clock.now()
    if (rest <= 0) break
    await clock.sleep(rest)
  }
  machines.look()
}

/** Until when a retained machine may still be there, where it is sure to go. */
function retainedUntil({ plan, truth }: World): number {
  if (!isTrusted(plan)) return 0
  const kept = truth.goings.filter(({ machine, how }) => how === 'ABANDON' && machine.goneAt === undefined)
  return (
    Math.max(
      ...kept.flatMap(({ machine, at }) => [
        at,
        ...truth.calls.flatMap((call) => (call.machine === machine ? call.to : [])),
      ]),
      0,
    ) + (kept.length > 0 ? retainedMs + minute : 0)
  )
}

function isLeaving({ truth }: World, machine: World['truth']['machines'][number]): boolean {
  return machine.goneAt === undefined && truth.goings.some((going) => going.machine === machine)
}

async function see(world: World): Promise<Seen> {
  const { store, clock, edges, plan, configured, lists, executions, truth } = world
  const holds = await store.holds()
  const records = await Promise.all(
    edges.map(async ({ id }) => ({ id, records: (await store.edgeRecords(id)) ?? [] })),
  )
  const drains = await Promise.all(store.drainIds().map((id) => store.drain(id)))
  return {
    at: clock.now(),
    edges: edges.map((edge, index) => {
      const { entries, held } = edge.truth()
      const known = truth.edges[index]
      return {
        id: edge.id,
        index,
        configured: configured.has(index),
        hasGuard: plan.edges[index]?.guard ?? false,
        guarded: held,
        guardedLate: entries.flatMap(({ uri }) => (known?.late.changed.has(guardKey(uri)) ? uri : [])),
        entries: entries.map(({ set, uri, flags }) => {
          const server = lists.lists.serverOf(uri)
          const accepts = [...(known?.entries.get(keyOf(set, uri))?.accepts ?? [])]
          const isLate = known?.late.changed.has(keyOf(set, uri)) ?? false
          return { set, uri, flags, accepts, isLate, ...(server !== undefined && { server }) }
        }),
      }
    }),
    holds: holds.map(({ source, id, uris: named, lifted }) => ({
      source,
      id,
      uris: named,
      lifted: lifted !== undefined,
      ...serverNamed(world, id),
    })),
    records: records.flatMap(({ id, records: own }) =>
      own.flatMap((record) => {
        if (record.kind !== 'entry') return []
        const { set, uri, flags } = record
        const server = lists.lists.serverOf(uri)
        return [{ edge: id, set, uri, flags, ...(server !== undefined && { server }) }]
      }),
    ),
    drains: drains.flatMap((drain) =>
      drain && drain.phase.name !== 'ended'
        ? [{ id: drainId(drain), state: drain.phase.name, ...serverNamed(world, drainId(drain)) }]
        : [],
    ),
    executions: executions.seen
      .filter(({ status }) => status === 'RUNNING')
      .map(({ drainId, attempt, startedAt: at, hangsSince }) => ({
        ...{ drainId, attempt, startedAt: at },
        ...(hangsSince !== undefined && { hangsSince }),
      })),
  }
}

function isTrusted({ edges }: Plan): boolean {
  return edges.every(
    ({ configured, counts, profiles, upMs, restoresDialogs }) =>
      configured &&
      counts &&
      profiles.length === 2 &&
      (restoresDialogs || upMs > longestCallSeconds * second),
  )
}

/** The place that the id of a hold or a drain is about: by its machine, its alarm or a listed URI. */
function serverNamed({ truth, lists }: World, id: string): { readonly server?: number } {
  const machine = truth.machines.find((one) => id.includes(one.id))
  const alarm = /alarm-(\d+)/.exec(id)?.[1]
  const server =
    machine?.server ??
    (alarm === undefined ? lists.lists.serverOf(/sip:.*/.exec(id)?.[0] ?? '') : Number(alarm))
  return server === undefined ? {} : { server }
}

function historyOf(world: World): Omit<History, 'calms' | 'last' | 'endedAt'> {
  const { plan, truth, startedAt, machines, faults, executions, lists, runs, events } = world
  return {
    startedAt,
    truth,
    plan: planOf(world),
    retains: plan.group.callsLeft === 'retain' || plan.group.unknown === 'retain',
    policyCutsFrom: (deadlineAt) => policyCutsFrom(plan.group, deadlineAt, endingSeconds * second),
    decidesAtDeadline: plan.group.callsLeft === 'terminate' && plan.group.unknown === 'terminate',
    endsCalls: plan.group.callsLeft === 'end-calls',
    isListed: (server) => lists.lists.isListed(server),
    wasUnlisted: (server, from, to) => wasUnlisted(world, server, from, to),
    executions: executions.seen,
    sweeps: runs.traces.flatMap(({ name, startedAt: at, isBroken }) =>
      name === 'sweep' ? [{ at, isBroken }] : [],
    ),
    published: events.published.map(({ type, detail }) => ({
      type,
      ...(typeof detail['drainId'] === 'string' && { drainId: detail['drainId'] }),
    })),
    activeActions: machines.actions.active().map(({ token, instanceId }) => ({ token, instanceId })),
    isManaged: (edge, at) => isManaged(world, edge, at),
    isKnown: (uri, by) => isKnown(world, uri, by),
    hits: faults.hits,
    incidents: () => [...truth.incidents, ...incidentsOfRuns(runs.traces, truth.incidents)],
  }
}

/** What the referee goes by of the plan. */
function planOf({ plan, startedAt }: World): History['plan'] {
  const { servers, edges, group, clearance, senders, happenings } = plan
  return {
    servers: servers.length,
    edges: edges.map(({ id }) => id),
    heartbeatTimeoutSeconds: group.heartbeatTimeoutSeconds,
    launchHook: group.launchHook,
    groupDeleted: happenings.some(({ kind }) => kind === 'group-deleted'),
    isTrusted: isTrusted(plan),
    rowLost: happenings.some(({ kind }) => kind === 'row-lost'),
    ownCount: group.ownCount,
    floors: clearance?.floors ?? [],
    atOnce: clearance?.atOnce,
    mostHolds: senders?.mostHolds,
    unknownSender: senders?.named ? senderIds[unknownSender] : undefined,
    listsLoadedAt: happenings.flatMap(({ kind, at }) =>
      kind === 'restart' || kind === 'stranger-reloads' ? [startedAt + at] : [],
    ),
    zones: servers.map((_, server) => zoneOf(server)),
    byDestination: servers.flatMap(({ namedBy }, server) => (namedBy === 'destination' ? [server] : [])),
    renamed: happenings.flatMap((happening) =>
      happening.kind === 'line' &&
      happening.port !== undefined &&
      servers[happening.server]?.namedBy === 'destination'
        ? [happening.server]
        : [],
    ),
  }
}

function isManaged({ plan, truth }: World, edge: number, at: number): boolean {
  const changes = truth.fleet.filter((one) => one.edge === edge && one.at <= at)
  return changes.at(-1)?.isAdded ?? plan.edges[edge]?.configured ?? false
}

function wasUnlisted({ plan, truth, lists }: World, server: number, from: number, to: number): boolean {
  const isOff = (index: number) =>
    !plan.edges[index]?.configured ||
    plan.happenings.some((happening) => happening.kind === 'edge-removed' && happening.edge === index)
  const listings = truth.edges.map(({ loads }, index) =>
    // What was off the list of edges for a while may not have been asked.
    (isOff(index) ? [] : loads).map(({ at, uris }) => ({
      at,
      isThere: uris.some((uri) => lists.lists.serverOf(uri) === server),
    })),
  )
  const times = [from, ...listings.flat().flatMap(({ at }) => (at > from && at <= to ? [at] : []))]
  return times.some((time) => listings.every((loads) => !loads.findLast(({ at }) => at <= time)?.isThere))
}

function isKnown(world: World, uri: string, by: number): boolean {
  const { plan, truth } = world
  return (
    plan.servers.some(({ address }) => usualUris(address).includes(uri)) ||
    truth.edges.some(({ loads }, edge) =>
      loads.some(({ at, uris }, index) => {
        const until = Math.min(by, loads[index + 1]?.at ?? by)
        const times = [at, ...truth.fleet.map((one) => one.at).filter((time) => time > at)]
        return uris.includes(uri) && times.some((time) => time <= until && isManaged(world, edge, time))
      }),
    )
  )
}
