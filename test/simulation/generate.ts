import { drawAims } from './draw-aims.ts'
import { drawChoices } from './draw-choices.ts'
import { drawFaults } from './draw-faults.ts'
import { drawHappenings } from './draw-happenings.ts'
import { drawLost } from './draw-lost.ts'
import { drawWindows } from './draw-windows.ts'
import type { EdgePlan, FileFlags, GroupPlan, Happening, LinePlan, Plan, ServerPlan } from './plan.ts'
import { Draws } from './random.ts'

const minute = 60_000

/** Draws a whole history from its seed. */
export function generate(seed: number): Plan {
  const draws = new Draws(`history ${seed}`)
  const edges = drawEdges(draws.part('edges'))
  const servers = drawServers(draws.part('servers'), edges)
  const group = drawGroup(draws.part('group'))
  const drawn = drawHappenings(draws.part('happenings'), edges, servers)
  const aimed = drawAims(draws.part('aims'), edges, servers)
  const lost = drawLost(draws.part('lost'), edges, servers, group)
  const chosen = drawChoices(draws.part('choices'), edges, servers)
  const known = servers.length + chosen.servers.length
  const timed = drawWindows(draws.part('windows'), edges, known)
  const clearance = chosen.clearance ?? timed.clearance
  const told = [...drawn, ...aimed].sort((a, b) => a.at - b.at)
  const reloads = told.flatMap(({ kind, at }) => (kind === 'reload-command' ? [at] : []))
  const plan: Plan = {
    seed,
    edges,
    servers: [...servers, ...chosen.servers, ...timed.servers],
    group,
    happenings: [...told, ...lost.happenings, ...chosen.happenings, ...timed.happenings].sort(
      (a, b) => a.at - b.at,
    ),
    faults: [
      ...drawFaults(
        draws.part('faults'),
        edges.length,
        told.map(({ at }) => at),
        reloads,
      ),
      ...lost.faults,
      ...chosen.faults,
    ],
    ...(clearance && { clearance }),
    ...(chosen.senders && { senders: chosen.senders }),
    skewsMs: draws.part('skews').several(1, 5, () => draws.int(-1000, 1000)),
  }
  const other = { ...plan, servers: spelledOtherwise(draws.part('spelling'), plan.servers) }
  return draws.part('undisturbed').chance(0.2) ? undisturbed(other) : other
}

/** In one of eight histories all addresses are IPv6; in another one of eight URIs tell their transport. */
function spelledOtherwise(draws: Draws, servers: readonly ServerPlan[]): readonly ServerPlan[] {
  const isIpv6 = draws.chance(0.125)
  const tellsTransport = draws.chance(0.125)
  return servers.map((server) => ({
    ...server,
    ...(isIpv6 && { address: server.address.replace(/^10\.0\.(\d+)\.(\d+)$/, 'fd00::$1:$2') }),
    ...(tellsTransport && draws.chance(0.5) && { transport: 'tcp' as const }),
  }))
}

const disturbances: readonly Happening['kind'][] = [
  'restart',
  'stranger-reloads',
  'reload-command',
  'line',
  'hand',
  'edge-removed',
  'edge-added',
]

/**
 * Nobody else touches the edges, and nothing fails: what is known to go wrong between two writers can't be
 * the reason of anything.
 */
function undisturbed(plan: Plan): Plan {
  const unheld = (line: LinePlan): LinePlan => (line.flags === 'DX' ? { ...line, flags: 'AP' } : line)
  return {
    ...plan,
    edges: plan.edges.map((edge) => ({
      ...edge,
      configured: true,
      latencyMs: Math.min(20, edge.latencyMs),
    })),
    servers: plan.servers.map((server) => ({ ...server, lines: server.lines.map(unheld) })),
    happenings: plan.happenings.filter(({ kind }) => !disturbances.includes(kind)),
    faults: plan.faults.filter(({ kind }) => kind === 'newer-payload' || kind === 'ec2-lags'),
  }
}

function drawEdges(draws: Draws): EdgePlan[] {
  const count = Number(draws.weighted({ 1: 20, 2: 60, 3: 15, 4: 5 }))
  const drawLatency = () => Number(draws.weighted({ 0: 40, 20: 25, 200: 15, 500: 15, 1200: 5 }))
  const latency = drawLatency()
  const alike = draws.chance(0.7)
  return Array.from({ length: count }, (_, index): EdgePlan => {
    const version = draws.weighted({ '6.1': 65, '5.6': 25, '6.0': 10 })
    const rpcFile = draws.weighted({ ours: 75, former: 15, none: 10 })
    const restoresDialogs = draws.chance(0.2)
    return {
      id: `edge-${'abcd'.charAt(index)}`,
      version,
      rpcFile,
      counters: rpcFile === 'ours' && draws.chance(0.8),
      guard: draws.chance(0.75),
      profiles: draws.pick([
        ['dst', 'src'],
        ['dst', 'src'],
        ['dst', 'src'],
        ['dst', 'src'],
        ['dst', 'src'],
        ['dst', 'src'],
        ['dst'],
        [],
      ] as const),
      counts: draws.chance(0.97),
      restoresDialogs,
      upMs: draws.chance(0.9) ? 24 * 60 * minute : draws.int(1, 14) * minute,
      latencyMs: alike ? latency : drawLatency(),
      reloadTakesMs: Number(draws.weighted({ 0: 70, 300: 20, 2000: 10 })),
      configured: index === 0 || draws.chance(0.93),
    }
  })
}

function drawServers(draws: Draws, edges: readonly EdgePlan[]): ServerPlan[] {
  // An rpc.cfg of the release before refuses the list that says what a name was resolved to.
  const takesNames = edges.every(({ rpcFile }) => rpcFile !== 'former')
  const count = Number(draws.weighted({ 1: 35, 2: 35, 3: 18, 5: 8, 8: 4 }))
  return Array.from({ length: count }, (_, index) => {
    const port = draws.weighted({ none: 15, 5060: 60, 5080: 25 })
    return {
      address: `10.0.1.${20 + index}`,
      ...(draws.chance(0.08) && takesNames && { name: `media-${index}.example.internal` }),
      ...(port !== 'none' && { port: Number(port) }),
      ...(draws.chance(0.75)
        ? { namedBy: 'instance' as const, ...(draws.chance(0.25) && { secondPort: 5070 }) }
        : { namedBy: 'destination' as const }),
      lines: drawLines(draws, edges.length),
    }
  })
}

function drawLines(draws: Draws, edges: number): LinePlan[] {
  const sets = draws.chance(0.5) ? [1, 2] : [1]
  const isListed = draws.chance(0.95)
  return Array.from({ length: edges }, (_, edge) => edge).flatMap((edge) =>
    sets.map((set): LinePlan => {
      const flags: FileFlags = draws.weighted({ AP: 55, AX: 15, IP: 12, IX: 6, DX: 12 })
      return { edge, set, flags, listed: isListed && draws.chance(0.97) }
    }),
  )
}

function drawGroup(draws: Draws): GroupPlan {
  const [callsLeft, unknown] = draws.pick([
    ['terminate', 'terminate'],
    ['terminate', 'terminate'],
    ['retain', 'retain'],
    ['end-calls', 'retain'],
    ['end-calls', 'terminate'],
  ] as const)
  return {
    launchHook: draws.chance(0.6),
    heartbeatTimeoutSeconds: draws.pick([300, 600]),
    drainDeadlineSeconds: draws.pick([300, 900, 1500]),
    callsLeft,
    unknown,
    ownCount: draws.chance(0.2),
  }
}
