import type { MemoryClock } from '../memory/clock.ts'
import type { FileEntry } from '../memory/dispatcher-memory.ts'
import { MemoryEdge } from '../memory/edge.ts'
import type { Misbehaviour } from '../memory/misbehaviour.ts'
import { present } from '../present.ts'
import type { EdgeTruth } from './edge-truth.ts'
import type { Faults } from './faults.ts'
import type { EdgePlan, EdgeTrouble, Fault, Plan } from './plan.ts'
import type { Runs } from './runs.ts'
import type { Truth } from './truth.ts'

type Message = Parameters<MemoryEdge['transport']['post']>[0]
type Outcome = Awaited<ReturnType<MemoryEdge['transport']['post']>>

const rpcTimeoutMs = 3000
const silence: Outcome = { failure: 'unreachable', why: `no answer within ${rpcTimeoutMs} ms` }

/** A list file that tells when an edge loads it. */
class WatchedFile extends Array<FileEntry> {
  onLoad: (() => void) | undefined
  static override get [Symbol.species]() {
    return Array
  }
  override flatMap<U, This = undefined>(
    callback: (this: This, value: FileEntry, index: number, array: FileEntry[]) => U | readonly U[],
    thisArg?: This,
  ): U[] {
    this.onLoad?.()
    return super.flatMap(callback, thisArg)
  }
}

export function watchedFile(lines: readonly FileEntry[], onLoad?: () => void): readonly FileEntry[] {
  const file = new WatchedFile()
  file.push(...lines)
  file.onLoad = onLoad
  return file
}

export interface EdgeSettings {
  readonly plan: EdgePlan
  readonly clock: MemoryClock
  readonly runs: Runs
  readonly faults: Faults
  readonly truth: EdgeTruth
  readonly lines: () => readonly FileEntry[]
  readonly names: Readonly<Record<string, string>> | undefined
  readonly onExecuted: (request: string) => void
  /** the running function sends this, and has its answer */
  readonly onPosted: (body: string) => void
}

/**
 * A Kamailio in memory behind the real client, whose requests go through what goes wrong; what it does is
 * told to the truth.
 */
export function createSimulatedEdge(settings: EdgeSettings): MemoryEdge {
  const { plan, clock, runs, truth, names } = settings
  const edge = new MemoryEdge({
    id: plan.id,
    clock,
    file: watchedFile(settings.lines()),
    version: plan.version,
    rpcFile: plan.rpcFile,
    counters: plan.counters,
    guard: plan.guard,
    profiles: plan.profiles,
    restoresDialogs: plan.restoresDialogs,
    reloadTakesMs: plan.reloadTakesMs,
    bootedAt: clock.now() - plan.upMs,
    ...(names && { names }),
  })
  edge.misbehaviour = { latencyMs: plan.latencyMs }
  truth.loaded(settings.lines(), 'restart', clock.now())
  const { transport } = edge
  transport.onArrival = (message) => truth.late.arrives(message, clock.now())
  const post = plan.counts ? transport.post.bind(transport) : uncounted(transport.post.bind(transport))
  transport.post = (message) => {
    const kind = kindOf(message)
    const work = async () => {
      settings.onPosted(message.body)
      const outcome = await post(message)
      settings.onPosted(message.body)
      return outcome
    }
    const sentAt = clock.now()
    truth.sent(message)
    truth.late.sent(message, sentAt)
    const answer = runs.call(kind, work, (ms) => late(clock, work, ms)).catch(unanswered)
    return answer.then((outcome) => {
      // Who was frozen meanwhile finds its timeout over.
      if (clock.now() - sentAt > rpcTimeoutMs) return silence
      if (!('failure' in outcome)) truth.answered(message)
      return outcome
    })
  }
  const requests = edge.requests as string[]
  requests.push = (request: string) => {
    settings.onExecuted(request)
    return Array.prototype.push.call(requests, request)
  }
  return edge
}

function kindOf({ body }: Message): string {
  if (body.includes('dispatcher.reload')) return 'edge.reload'
  return /"(dispatcher\.set_|htable\.(seti|delete)|dlg\.terminate)/.test(body) ? 'edge.write' : 'edge.read'
}

/** The replies of an edge whose script never counts a call. */
function uncounted(post: (message: Message) => Promise<Outcome>): (message: Message) => Promise<Outcome> {
  return async (message) => {
    const outcome = await post(message)
    if ('failure' in outcome) return outcome
    const asked = new Map(
      [...message.body.matchAll(/"method":"([^"]+)","params":\[("begun")?.*?\],"id":(\d+)/g)].map(
        ([, method = '', begun, id]) => [Number(id), begun ? 'begun' : method],
      ),
    )
    const emptied = (reply: { id?: number; result?: unknown }) => {
      const what = asked.get(reply.id ?? -1)
      if (what === 'dlg.profile_get_size' && typeof reply.result === 'number') return { ...reply, result: 0 }
      if (what !== 'begun' || reply.result === undefined) return reply
      if (Array.isArray(reply.result)) return { ...reply, result: [] }
      const error = { code: 500, message: "Key name doesn't exist in htable." }
      return { jsonrpc: '2.0', error, id: reply.id }
    }
    const replies: unknown = JSON.parse(outcome.body || '{}')
    const body = Array.isArray(replies) ? replies.map(emptied) : emptied(replies as object)
    return { ...outcome, body: JSON.stringify(body) }
  }
}

function unanswered(error: unknown): Outcome {
  return { failure: 'unreachable', why: error instanceof Error ? error.message : String(error) }
}

/** The caller gives up at its timeout; what it asked for is done when it arrives. */
async function late(clock: MemoryClock, work: () => Promise<Outcome>, ms: number): Promise<Outcome> {
  if (ms < rpcTimeoutMs) {
    await clock.sleep(ms)
    return work()
  }
  clock.at(clock.now() + ms, () => void work())
  await clock.sleep(rpcTimeoutMs)
  return silence
}

/** Has each edge's troubles begin and end at their times; of several at once the last one begun counts. */
export function plantTroubles(
  plan: Plan,
  edges: readonly MemoryEdge[],
  clock: MemoryClock,
  faults: Faults,
  truth: Truth,
): void {
  const startedAt = clock.now()
  for (const fault of plan.faults) {
    if (fault.kind !== 'edge') continue
    const edge = edges[fault.edge]
    const own = plan.edges[fault.edge]
    if (!edge || !own) continue
    const usual = { latencyMs: own.latencyMs }
    clock.at(startedAt + fault.from, () => {
      edge.misbehaviour = { ...usual, ...misbehaviourOf(fault) }
      const until = startedAt + fault.to + (fault.what === 'executed later' ? fault.ms : 0)
      faults.hit(`edge: ${fault.what}`, until)
      present(truth.edges[fault.edge], 'truth of the edge').isTroubled(startedAt + fault.from, until)
      truth.happened('some edge is away', startedAt + fault.from, {}, until)
      truth.happened('edge trouble', startedAt + fault.from, { edge: fault.edge }, until)
    })
    clock.at(startedAt + fault.to, () => {
      edge.misbehaviour = usual
    })
  }
}

function misbehaviourOf({ what, ms }: Extract<Fault, { kind: 'edge' }>): Misbehaviour {
  const all: Readonly<Record<EdgeTrouble, Misbehaviour>> = {
    unreachable: { unreachable: true },
    'replies lost': { losesReplies: true },
    'replies halved': { halvesReplies: true },
    'replies swapped': { swapsReplies: true },
    'last reply lost': { losesLastReply: true },
    slow: { latencyMs: ms },
    'executed later': { executesAfterMs: ms },
    'counts refused': { faults: { 'dlg.profile_get_size': 'unsupported' } },
    'writes refused': { faults: { 'dispatcher.set_state': 'refused', 'htable.seti': 'refused' } },
    'list refused': { faults: { 'dispatcher.list': 'malformed' } },
  }
  return all[what]
}
