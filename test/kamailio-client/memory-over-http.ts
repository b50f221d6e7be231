import { EdgeError } from '../../functions/control/errors.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { type HttpRequest, idOf, reply, result, uriOf } from './loopback.ts'

const states = ['a', 'ap', 'i', 'ip', 'd', 'dp', 't', 'tp'] as const
const refusals: Readonly<Record<string, string>> = {
  busy: 'Ongoing reload',
  'empty-list': 'No Destination Sets',
  unsupported: 'Method Not Found',
}

/** Answers one JSON-RPC request from an edge in memory, in the words of a real Kamailio. */
export async function answerFrom(
  edge: MemoryEdge,
  request: HttpRequest,
  socket: Parameters<typeof reply>[0],
) {
  const { method, params }: { method: string; params: (string | number)[] } = JSON.parse(request.body)
  try {
    reply(socket, result(request, await resultFrom(edge, method, params)))
  } catch (error) {
    const message =
      error instanceof EdgeError ? (refusals[error.fault] ?? 'State Update Failed') : String(error)
    const known = error instanceof Refusal ? error.message : message
    const body = { jsonrpc: '2.0', error: { code: 500, message: known }, id: idOf(request) }
    reply(socket, JSON.stringify(body), `500 ${known}`)
  }
}

class Refusal extends Error {
  override readonly name = 'Refusal'
}

async function resultFrom(
  edge: MemoryEdge,
  method: string,
  params: readonly (string | number)[],
): Promise<unknown> {
  const [first = '', second = '', third = ''] = params
  const state = states.find((known) => known === first) ?? 'd'
  const key = () => uriOf(String(second))
  const profiled = () =>
    first === 'dst' ? { uris: [key()], addresses: [] } : { uris: [], addresses: [String(second)] }
  switch (method) {
    case 'dispatcher.list': {
      const entries = await edge.list()
      const sets = [...new Set(entries.map((entry) => entry.group))]
      const dest = (e: (typeof entries)[number]) => ({
        DEST: {
          URI: e.uri,
          FLAGS: e.flags,
          ...(e.iuid && { IUID: e.iuid }),
          ...(e.duid && { ATTRS: { DUID: e.duid } }),
        },
      })
      const set = (ID: number) => ({ ID, TARGETS: entries.filter((e) => e.group === ID).map(dest) })
      return { NRSETS: sets.length, RECORDS: sets.map((ID) => ({ SET: set(ID) })) }
    }
    case 'dispatcher.set_state':
      await edge.setState(state, Number(second), uriOf(String(third)))
      return 'Ok. Dispatcher state updated.'
    case 'dispatcher.set_duid_state':
      await edge.setDuidState(state, Number(second), String(third))
      return 'Ok. Dispatcher state updated.'
    case 'dispatcher.reload':
      await edge.reload()
      return 'Ok. Dispatcher successfully reloaded.'
    case 'core.uptime': {
      const { bootTime, uptimeSeconds } = await edge.boot()
      return { now: bootTime, up_since: bootTime, uptime: uptimeSeconds }
    }
    case 'core.version':
      return edge.version()
    case 'htable.get': {
      const held = await guarded(edge.readGuard(key()))
      if (!held) throw new Refusal("Key name doesn't exist in htable.")
      return { item: { name: second, value: 1, flags: 0, expire: 'NEVER' } }
    }
    case 'htable.seti':
      await guarded(edge.setGuard(key(), true))
      return 'Ok. Key set to new value.'
    case 'htable.delete':
      await guarded(edge.setGuard(key(), false))
      return 'Ok. Key deleted.'
    case 'dlg.profile_list':
      await edge.endCalls(profiled(), 0)
      return edge.callsUp(profiled()).map((call) => ({
        'call-id': String(call),
        state: 4,
        caller: { tag: 'caller' },
        callee: { tag: 'callee' },
      }))
    case 'dlg.terminate_dlg':
      edge.hangUp(Number(first))
      return {}
    case 'dlg.profile_get_size': {
      if (params.length === 1) {
        const total = await edge.totalCalls()
        if (total === undefined) throw new Refusal(`Profile not found: ${first}`)
        return first === 'dst' ? total : 0
      }
      const count = await edge.count(profiled()).catch(() => undefined)
      if (count?.source !== 'profile') throw new Refusal(`Profile not found: ${first}`)
      return count.calls
    }
    default:
      throw new Refusal('Method Not Found')
  }
}

async function guarded<T>(asked: Promise<T | 'no-guard'>): Promise<T> {
  const answer = await asked
  if (answer === 'no-guard') throw new Refusal('No such htable')
  return answer
}
