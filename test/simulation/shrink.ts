import type { Rule, Violation } from './findings.ts'
import { runHistory } from './history.ts'
import type { EdgePlan, Fault, Happening, Plan } from './plan.ts'
import { judge } from './referee.ts'

type Check = (plan: Plan) => Promise<boolean>

/** More tries than this are not worth the wait. */
const mostTries = 600

/** @returns the shortest plan found that breaks the same rule, and what it breaks */
export async function shrink(
  plan: Plan,
  rule: Rule,
  run = runHistory,
): Promise<{ readonly plan: Plan; readonly violation: Violation | undefined }> {
  const violationOf = async (candidate: Plan): Promise<Violation | undefined> =>
    judge(await run(candidate)).violations.find((violation) => violation.rule === rule)
  let tries = 0
  const breaks: Check = async (candidate) => {
    tries += 1
    if (tries > mostTries) return false
    return (await violationOf(candidate)) !== undefined
  }
  let least = plan
  for (let before = Number.POSITIVE_INFINITY; sizeOf(least) < before && tries < mostTries; ) {
    before = sizeOf(least)
    least = await withFewer(least, 'happenings', breaks)
    least = await withFewer(least, 'faults', breaks)
    least = await simpler(least, breaks)
  }
  return { plan: least, violation: await violationOf(least) }
}

function sizeOf(plan: Plan): number {
  return JSON.stringify(plan).length
}

/** Leaves out halves, quarters and in the end single ones, as long as the rule stays broken. */
async function withFewer(plan: Plan, part: 'happenings' | 'faults', breaks: Check): Promise<Plan> {
  let least = plan
  for (let size = Math.ceil(least[part].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < least[part].length; ) {
      const rest = [...least[part].slice(0, from), ...least[part].slice(from + size)]
      const candidate = { ...least, [part]: rest } as Plan
      if (await breaks(candidate)) least = candidate
      else from += size
    }
  }
  return least
}

/** Tries each way of making it plainer once. */
async function simpler(plan: Plan, breaks: Check): Promise<Plan> {
  let least = plan
  for (const change of plainer(plan)) {
    const candidate = change(least)
    if (
      candidate &&
      sizeOf(candidate) <= sizeOf(least) &&
      JSON.stringify(candidate) !== JSON.stringify(least) &&
      (await breaks(candidate))
    )
      least = candidate
  }
  return least
}

type Change = (plan: Plan) => Plan | undefined

function plainer(plan: Plan): Change[] {
  return [
    ...plan.edges.map(
      (_, index): Change =>
        (now) =>
          withoutEdge(now, plan.edges.length - 1 - index),
    ),
    ...plan.servers.map(
      (_, index): Change =>
        (now) =>
          withoutServer(now, plan.servers.length - 1 - index),
    ),
    (now) => ({ ...now, skewsMs: [0] }),
    ({ senders: _, ...now }) => now,
    ({ clearance: _, ...now }) => now,
    ({ clearance, ...now }) => clearance && { ...now, clearance: { floors: clearance.floors } },
    ...(plan.clearance?.floors ?? []).map(
      (floor): Change =>
        (now) =>
          now.clearance && { ...now, clearance: { ...now.clearance, floors: [floor] } },
    ),
    ...plainEdges.flatMap((plain) =>
      plan.edges.map(
        (_, index): Change =>
          (now) =>
            withEdge(now, index, plain),
      ),
    ),
    ...plan.servers.map(
      (_, index): Change =>
        (now) =>
          withServer(now, index),
    ),
    ...plan.happenings.map(
      (_, index): Change =>
        (now) =>
          withHappening(now, index, plainDelivery),
    ),
    ...plan.happenings.map(
      (_, index): Change =>
        (now) =>
          withHappening(now, index, rounded),
    ),
    ...plan.faults.map(
      (_, index): Change =>
        (now) =>
          withFault(now, index),
    ),
  ]
}

const plainEdges: readonly Partial<EdgePlan>[] = [
  { latencyMs: 0 },
  { reloadTakesMs: 0 },
  { version: '6.1' },
  { rpcFile: 'ours', counters: true },
  { guard: true },
  { profiles: ['dst', 'src'] },
  { restoresDialogs: false },
  { upMs: 86_400_000 },
  { configured: true },
  { counts: true },
]

function withEdge(plan: Plan, index: number, plain: Partial<EdgePlan>): Plan {
  return { ...plan, edges: plan.edges.map((edge, at) => (at === index ? { ...edge, ...plain } : edge)) }
}

function withoutEdge(plan: Plan, index: number): Plan | undefined {
  if (plan.edges.length < 2 || index >= plan.edges.length) return undefined
  const moved = (edge: number) => (edge > index ? edge - 1 : edge)
  const stays = <T extends object>(one: T) => !('edge' in one) || one.edge !== index
  const shifted = <T extends object>(one: T): T =>
    'edge' in one && typeof one.edge === 'number' ? { ...one, edge: moved(one.edge) } : one
  const happening = (one: Happening): Happening =>
    one.kind === 'call' && one.moves
      ? {
          ...one,
          moves: one.moves.map((move) => (move.edge === index ? { ...move, edge: 0 } : shifted(move))),
        }
      : one
  return {
    ...plan,
    edges: plan.edges.filter((_, at) => at !== index),
    servers: plan.servers.map((server) => ({ ...server, lines: server.lines.filter(stays).map(shifted) })),
    happenings: plan.happenings.filter(stays).map(shifted).map(happening),
    faults: plan.faults.filter(stays).map(shifted),
  }
}

function withoutServer(plan: Plan, index: number): Plan | undefined {
  if (plan.servers.length < 2 || index >= plan.servers.length) return undefined
  const happenings = plan.happenings
    .filter((one) => !('server' in one) || one.server !== index)
    .map(
      (one): Happening => ('server' in one && one.server > index ? { ...one, server: one.server - 1 } : one),
    )
  return { ...plan, servers: plan.servers.filter((_, at) => at !== index), happenings }
}

/** One set, listed as an active destination. */
function withServer(plan: Plan, index: number): Plan {
  const servers = plan.servers.map((server, at) =>
    at === index ? { ...server, lines: server.lines.filter(({ set }) => set === 1) } : server,
  )
  return { ...plan, servers }
}

function withHappening(plan: Plan, index: number, change: (happening: Happening) => Happening): Plan {
  return { ...plan, happenings: plan.happenings.map((one, at) => (at === index ? change(one) : one)) }
}

function plainDelivery(happening: Happening): Happening {
  return 'delivery' in happening && happening.delivery.length > 0
    ? { ...happening, delivery: [100] }
    : happening
}

function rounded(happening: Happening): Happening {
  return { ...happening, at: Math.round(happening.at / 1000) * 1000 }
}

function withFault(plan: Plan, index: number): Plan {
  const plain = (fault: Fault): Fault => (fault.kind === 'call' ? { ...fault, nth: 1, on: fault.on } : fault)
  return { ...plan, faults: plan.faults.map((fault, at) => (at === index ? plain(fault) : fault)) }
}
