import * as z from 'zod'
import type { RpcTransport } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import type { EdgeWrite } from '../control/settle-plan.ts'
import type { Edge } from '../ports/edge.ts'
import { begunUris, createCallCounter } from './calls.ts'
import { dispatcherList, hasNames, type ListedTargets } from './dispatcher-list.ts'
import { createCallEnder } from './end-calls.ts'
import { readFacts } from './facts.ts'
import { guardRead, guardShown, guardWrite, guardWritten } from './guard.ts'
import { createJsonRpc, type JsonRpc, type RpcCall } from './json-rpc.ts'
import type { RpcSecret, RpcSettings } from './rpc-exchange.ts'
import { unless } from './rpc-faults.ts'
import type { RpcAnswer } from './rpc-steps.ts'
import { uptime } from './uptime.ts'

export interface EdgeSettings {
  readonly id: string
  /** how its JSON-RPC is reached */
  readonly transport: RpcTransport
  /** whether dialogs and their profiles survive a restart of this edge (dialog `db_mode` 1) */
  readonly restoresDialogs: boolean
  /** for one call in all */
  readonly timeoutMs: number
  readonly key?: RpcSecret
  readonly backOff?: NonNullable<RpcSettings['backOff']>
  readonly correlationId?: NonNullable<RpcSettings['correlationId']>
  /** epoch ms, for the difference of clocks; Date.now unless given */
  readonly now?: () => number
}

export interface KamailioEdge extends Edge {
  /** Ends its connections once its calls are answered. */
  close(): Promise<void>
}

/** One real Kamailio, 5.6 to 6.1, reached by JSON-RPC. */
export function createEdge(settings: EdgeSettings): KamailioEdge {
  const rpc = createJsonRpc({ ...settings, edge: settings.id })
  return {
    ...edgeOver(settings, rpc, { names: false, countersMissingAt: undefined, keepalives: false }),
    close: () => settings.transport.close(),
  }
}

/** What answers have shown of the edge, shared by all leases. */
interface Learned {
  /** its list has names: it is asked in full at once */
  names: boolean
  /**
   * the boot at which it had no begun counters; null: an edge that names none. Undefined: they are worth
   * asking for.
   */
  countersMissingAt: string | null | undefined
  /** whether its last facts showed that it sends keepalives */
  keepalives: boolean
}

function edgeOver(settings: EdgeSettings, rpc: JsonRpc, learned: Learned): Edge {
  const { id, restoresDialogs, now = Date.now } = settings
  const boot = async () => {
    const up = await rpc.call({ method: 'core.uptime', params: [], result: uptime })
    return { bootTime: up.up_since, uptimeSeconds: up.uptime }
  }
  const listed = () => listTargets(id, rpc, learned)
  return {
    id,
    restoresDialogs,
    under: (generation) => edgeOver(settings, rpc.under(generation), learned),
    facts: async () => {
      const facts = await readFacts(rpc, now)
      learned.keepalives = facts.keepalives ?? false
      return facts
    },
    boot,
    answeredBy: () => rpc.boots(),
    list: async () => {
      const { targets, opaque } = await listed()
      return { destinations: targets.map(({ destination }) => destination), opaque }
    },
    write: async (writes) => {
      const answers = await rpc.batch(writes.map(callOf))
      return answers.map((answer, index) => outcomeOf(writes[index], answer))
    },
    readGuards: async (uris) => (await rpc.batch(uris.map(guardRead))).map(guardShown),
    reload: async () => {
      await rpc.call({ method: 'dispatcher.reload', params: [], result: reloaded })
    },
    ...createCallCounter({
      edge: id,
      rpc,
      targets: async () => (await listed()).targets,
      bootTime: async () => (await boot()).bootTime,
      hasCounters: () => rpc.boot() === undefined || rpc.boot() !== learned.countersMissingAt,
      noCounters: () => {
        learned.countersMissingAt = rpc.boot()
      },
      hasKeepalives: () => learned.keepalives,
    }),
    begunUris: () => begunUris(rpc),
    endCalls: createCallEnder(id, rpc),
  }
}

function callOf(write: EdgeWrite): RpcCall<unknown> {
  if ('held' in write) return guardWrite(write.uri, write.held)
  const { state, set, uri, duid } = write
  return duid === undefined
    ? { method: 'dispatcher.set_state', params: [state, set, uri], result: stateUpdated }
    : { method: 'dispatcher.set_duid_state', params: [state, set, duid], result: stateUpdated }
}

function outcomeOf(
  write: EdgeWrite | undefined,
  answer: RpcAnswer<unknown>,
): 'done' | 'no-guard' | EdgeError {
  if (write && 'held' in write) return guardWritten(answer)
  return 'error' in answer ? answer.error : 'done'
}

/**
 * An emptied list is answered with a fault, and a list without an entry is taken for the same: unknown, never
 * "without it".
 */
async function listTargets(edge: string, rpc: JsonRpc, learned: Learned): Promise<ListedTargets> {
  const ask = (params: readonly string[]) =>
    rpc.call({ method: 'dispatcher.list', params, result: dispatcherList })
  const inFull = () => unless(isRefused, ask(['full']))
  let list = learned.names ? await inFull() : undefined
  if (list === undefined) {
    list = await ask([])
    if (hasNames(list) && !learned.names) list = (await inFull()) ?? list
  }
  learned.names = hasNames(list)
  if (list.targets.length + list.opaque.length === 0)
    throw new EdgeError(edge, 'empty-list', 'dispatcher.list: no destination at all')
  return list
}

/**
 * The policy of an rpc.cfg before batches knows the list in its normal mode only: its names are without
 * addresses then.
 */
function isRefused({ fault }: EdgeError): boolean {
  return fault === 'unsupported'
}

const stateUpdated = z.literal('Ok. Dispatcher state updated.')
const reloaded = z.literal('Ok. Dispatcher successfully reloaded.')
