import * as z from 'zod'
import type { RpcTransport } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import type { Edge } from '../use-cases/ports.ts'
import { createCallCounter, totalCalls } from './calls.ts'
import { dispatcherList, type ListedTarget } from './dispatcher-list.ts'
import { createCallEnder } from './end-calls.ts'
import { readGuard, setGuard } from './guard.ts'
import { createJsonRpc, type JsonRpc, type RpcSecret, type RpcSettings } from './json-rpc.ts'

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
}

export interface KamailioEdge extends Edge {
  /** Ends its connections once its calls are answered. */
  close(): Promise<void>
}

/** One real Kamailio, 5.6 or 6.1, reached by JSON-RPC. */
export function createEdge(settings: EdgeSettings): KamailioEdge {
  const { id, restoresDialogs } = settings
  const rpc = createJsonRpc({ ...settings, edge: id })
  const targets = () => listTargets(id, rpc)
  const boot = async () => {
    const { up_since, uptime: uptimeSeconds } = await rpc.call('core.uptime', [], uptime)
    return { bootTime: up_since, uptimeSeconds }
  }
  return {
    id,
    restoresDialogs,
    list: async () => (await targets()).map((target) => target.destination),
    setState: async (state, group, uri) => {
      await rpc.call('dispatcher.set_state', [state, group, uri], stateUpdated)
    },
    setDuidState: async (state, group, duid) => {
      await rpc.call('dispatcher.set_duid_state', [state, group, duid], stateUpdated)
    },
    setGuard: (uri, held) => setGuard(rpc, uri, held),
    readGuard: (uri) => readGuard(rpc, uri),
    reload: async () => {
      await rpc.call('dispatcher.reload', [], reloaded)
    },
    boot,
    version: async () => (await rpc.call('core.version', [], z.string())).trim(),
    count: createCallCounter({ edge: id, rpc, targets, bootTime: async () => (await boot()).bootTime }),
    endCalls: createCallEnder(id, rpc),
    totalCalls: () => totalCalls(rpc),
    close: () => rpc.close(),
  }
}

/** An emptied list is answered with a fault, and a list without a target is taken for the same: unknown, never "without it". */
async function listTargets(edge: string, rpc: JsonRpc): Promise<readonly ListedTarget[]> {
  const targets = await rpc.call('dispatcher.list', [], dispatcherList)
  if (targets.length === 0) throw new EdgeError(edge, 'empty-list', 'dispatcher.list: no destination at all')
  return targets
}

const stateUpdated = z.literal('Ok. Dispatcher state updated.')
const reloaded = z.literal('Ok. Dispatcher successfully reloaded.')
/** `{"now":"Sun Nov 22 20:16:50 2026","up_since":"Sun Nov 22 20:16:46 2026","uptime":4}` */
const uptime = z.object({ up_since: z.string().min(1), uptime: z.int().min(0) })
