import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Edge } from '../sip/edge.ts'
import { RpcFault } from '../sip/edge-rpc.ts'
import type { Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'

/** How long it meddles, and how often: shorter than a drain takes, and more often than a settle comes. */
const meddlingMs = 6000
const roundMs = 400

type State = 'ap' | 'd'

/**
 * A second program that writes states on every edge while a drain is under way: enables what is held,
 * disables what is not. It leaves the drain guard alone, so no call goes where it should not. On the first
 * edge it has the secret and uses the RPC port. On the others it writes to Kamailio's own FIFO, which asks
 * for no secret, knows no fence and logs nothing.
 */
export async function meddle(world: World, held: Machine, other: Machine): Promise<void> {
  world.marks.push({ at: Date.now(), machine: held.plan.name, label: 'a stranger writes' })
  const [first] = world.edges
  const set = async (machine: Machine, state: State) => {
    for (const edge of world.edges)
      for (const set of machine.plan.sets)
        await (edge === first ? byPort(edge, state, set, machine.uri) : byFifo(edge, state, set, machine.uri))
  }
  const until = Date.now() + meddlingMs
  while (Date.now() < until) {
    await set(held, 'ap')
    await set(other, 'd')
    await sleep(roundMs)
  }
  await set(other, 'ap')
}

/** Tries again where a settle has just raised the edge's fence. @throws whatever else the edge answers */
async function byPort(edge: Edge, state: State, set: number, uri: string): Promise<void> {
  for (;;) {
    try {
      await edge.call('dispatcher.set_state', [state, set, uri])
      return
    } catch (error) {
      if (!(error instanceof RpcFault && error.message.includes('Stale generation'))) throw error
    }
  }
}

function byFifo(edge: Edge, state: State, set: number, uri: string): void {
  // It is executed first and answered then: where nobody opened the reply's FIFO, only the answer is lost.
  const reply_name = 'nobody-reads-it'
  const params = [state, set, uri]
  const request = { jsonrpc: '2.0', method: 'dispatcher.set_state', params, reply_name, id: 1 }
  const fifo = join(dirname(edge.logFile), 'kamailio_rpc.fifo')
  // r+ opens at once, reader or not.
  writeFileSync(fifo, `${JSON.stringify(request)}\n`, { flag: 'r+' })
}
