import type { Ports } from '../../functions/use-cases/ports.ts'
import { plantHappenings } from './happenings.ts'
import { policyCutsFrom } from './machines.ts'
import type { History, Seen } from './observed.ts'
import type { Plan } from './plan.ts'
import { createWorld, endingSeconds, type World } from './world.ts'

const second = 1000
const minute = 60 * second
/** two minutes, and the reconciler that is at work then */
const calmAfter = 150 * second

/** Runs a plan to its end on a virtual clock. `sabotage` replaces ports, to see that the referee can fail. */
export async function runHistory(plan: Plan, sabotage?: (ports: Ports) => Ports): Promise<History> {
  const world = createWorld(plan, sabotage)
  plantHappenings(world)
  try {
    const calm = await untilCalm(world)
    await untilOver(world)
    return { ...historyOf(world), calm, last: await see(world), endedAt: world.clock.now() }
  } finally {
    world.stop()
  }
}

async function untilCalm(world: World): Promise<Seen | undefined> {
  const { plan, clock, startedAt, faults, truth } = world
  const ends = [
    ...plan.happenings.map(({ at }) => at),
    ...plan.faults.map((fault) => ('to' in fault ? fault.to : 'from' in fault ? fault.from : 0)),
  ]
  const lastAt = startedAt + Math.max(0, ...ends)
  for (let waits = 0; waits < 240; waits += 1) {
    const from = Math.max(lastAt, faults.lastAt, ...truth.goings.map(({ at }) => at))
    const isPending = truth.sent.some(({ pending }) => pending > 0)
    if (!isPending && clock.now() >= from + calmAfter) return see(world)
    await clock.sleep(Math.max(15 * second, isPending ? 0 : from + calmAfter - clock.now()))
  }
  return undefined
}

/** Until every action has ended, or had the time to. */
async function untilOver(world: World): Promise<void> {
  const { clock, machines, truth, faults } = world
  const deadlines = truth.sent.map(({ about }) => (about.kind === 'terminate' ? about.deadlineAt : 0))
  const giveUpAt = Math.max(clock.now(), ...deadlines, faults.lastAt) + 12 * minute
  while (clock.now() < giveUpAt) {
    machines.look()
    const isUp = truth.calls.some(({ to, machine }) => to > clock.now() && isLeaving(world, machine))
    if (machines.actions.active().length === 0 && !isUp && !truth.sent.some(({ pending }) => pending > 0))
      break
    await clock.sleep(30 * second)
  }
  const rest = Math.max(...truth.goings.map(({ at }) => at), faults.lastAt) + calmAfter - clock.now()
  if (rest > 0) await clock.sleep(rest)
  machines.look()
}

function isLeaving({ truth }: World, machine: World['truth']['machines'][number]): boolean {
  return machine.goneAt === undefined && truth.goings.some((going) => going.machine === machine)
}

async function see(world: World): Promise<Seen> {
  const { store, clock, edges, plan, configured, lists, executions } = world
  const uris = edges.flatMap((edge) => edge.truth().entries.map(({ uri }) => uri))
  const holds = await store.holds()
  const rows = await store.formerFlags([...new Set([...uris, ...holds.flatMap((hold) => hold.uris)])])
  const ids = [...new Set(executions.map(({ drainId }) => drainId))]
  const drains = await Promise.all(ids.map((id) => store.drain(id)))
  return {
    at: clock.now(),
    edges: edges.map((edge, index) => {
      const { entries, held } = edge.truth()
      return {
        id: edge.id,
        index,
        configured: configured.has(index),
        hasGuard: plan.edges[index]?.guard ?? false,
        guarded: held,
        entries: entries.map(({ group, uri, flags }) => {
          const server = lists.lists.serverOf(uri)
          return { set: group, uri, flags, ...(server !== undefined && { server }) }
        }),
      }
    }),
    holds: holds.map(({ source, id, uris: named, lifted }) => ({
      source,
      id,
      uris: named,
      lifted: lifted !== undefined,
    })),
    records: rows.map(({ edge, group, uri, flags }) => ({ edge, set: group, uri, flags })),
    drains: drains.flatMap((drain) =>
      drain && drain.state !== 'ended' ? [{ id: drain.id, state: drain.state }] : [],
    ),
    executions: executions
      .filter(({ status }) => status === 'RUNNING')
      .map(({ drainId, attempt }) => ({ drainId, attempt })),
  }
}

function historyOf(world: World): Omit<History, 'calm' | 'last' | 'endedAt'> {
  const { plan, truth, startedAt, machines, faults, executions, lists } = world
  const removed = plan.happenings.flatMap((happening) =>
    happening.kind === 'edge-removed' ? [{ edge: happening.edge, at: startedAt + happening.at }] : [],
  )
  const never = plan.edges.flatMap(({ configured }, edge) => (configured ? [] : [{ edge, at: 0 }]))
  const isOff = (index: number) => [...removed, ...never].some(({ edge }) => edge === index)
  return {
    startedAt,
    truth,
    plan: {
      servers: plan.servers.length,
      heartbeatTimeoutSeconds: plan.group.heartbeatTimeoutSeconds,
      launchHook: plan.group.launchHook,
      groupDeleted: plan.happenings.some(({ kind }) => kind === 'group-deleted'),
      rowLost: plan.happenings.some(({ kind }) => kind === 'row-lost'),
      byDestination: plan.servers.flatMap(({ namedBy }, server) =>
        namedBy === 'destination' ? [server] : [],
      ),
      renamed: plan.happenings.flatMap((happening) =>
        happening.kind === 'line' &&
        happening.port !== undefined &&
        plan.servers[happening.server]?.namedBy === 'destination'
          ? [happening.server]
          : [],
      ),
    },
    policyCutsFrom: (deadlineAt) => policyCutsFrom(plan.group, deadlineAt, endingSeconds * second),
    decidesAtDeadline: plan.group.callsLeft === 'terminate' && plan.group.unknown === 'terminate',
    endsCalls: plan.group.callsLeft === 'end-calls',
    isListed: (server) => lists.lists.isListed(server),
    wasUnlisted: (server, from, to) => {
      const listings = truth.edges.map(({ loads }, index) =>
        // What was off the list of edges for a while may not have been asked.
        (isOff(index) ? [] : loads).map(({ at, uris }) => ({
          at,
          isThere: uris.some((uri) => lists.lists.serverOf(uri) === server),
        })),
      )
      const times = [from, ...listings.flat().flatMap(({ at }) => (at > from && at <= to ? [at] : []))]
      return times.some((time) => listings.every((loads) => !loads.findLast(({ at }) => at <= time)?.isThere))
    },
    executions,
    activeActions: machines.actions.active().map(({ token, instanceId }) => ({ token, instanceId })),
    removed: [...removed, ...never],
    hits: faults.hits,
  }
}
