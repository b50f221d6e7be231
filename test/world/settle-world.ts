import type { Hold } from '../../functions/control/hold.ts'
import { type Reading, readable } from '../../functions/control/reading.ts'
import type { SettleResult } from '../../functions/fleet/settle-fleet.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import type { MemoryEdgeOptions } from '../memory/edge-options.ts'
import { present } from '../present.ts'
import { createWorld, seconds, verbatim, type World, type WorldOptions } from './world.ts'

export const rpcTimeout = 3 * seconds
/** how long a lease is after which nobody gave it up */
export const late = rpcTimeout + 2 * seconds

export function holdOf(text: string, changes: Partial<Hold> = {}): Hold {
  const uri = verbatim(text)
  return {
    source: 'operator',
    id: text,
    subject: { kind: 'uri', uri },
    uris: [uri],
    addresses: [],
    wholeInstance: false,
    who: 'alice',
    why: 'disk failing',
    placedAt: 1,
    order: '1',
    ...changes,
  }
}

/** Writes down what is wanted, as every trigger does. @returns the counter that knows it */
export async function want(world: World, ...holds: readonly Hold[]): Promise<number> {
  for (const hold of holds) await world.memory.store.putHold(hold)
  return world.memory.store.raiseWanted()
}
export const lifted = (text: string) => holdOf(text, { order: '2', lifted: { at: 2, by: 'bob' } })

/** One edge that was read while nothing was held, and whose every answer takes a while. */
export async function oneEdge(
  options: Partial<MemoryEdgeOptions> = {},
  more: WorldOptions = {},
): Promise<{ world: World; edge: MemoryEdge }> {
  const world = createWorld({ ...more, edges: [{ id: 'edge-a', ...options }] })
  await world.settledAll()
  const edge = world.edge('edge-a')
  edge.misbehaviour = { latencyMs: 100 }
  return { world, edge }
}

/** Does `work` once, when the edge is asked for `method` under a lease for the first time. */
export function atFirst(edge: MemoryEdge, method: 'list' | 'write', work: () => unknown): void {
  let isDone = false
  edge.change((each) => ({
    [method]: async (...args: never[]) => {
      if (!isDone) {
        isDone = true
        await work()
      }
      return (each[method] as (...args: never[]) => unknown)(...args)
    },
  }))
}

/** Somebody else gets the lease, long after ours has ended. */
export async function takenOver(world: World): Promise<number> {
  const ever = Number.MAX_SAFE_INTEGER
  return present(await world.memory.store.takeEdge('edge-a', 'successor', ever, ever), 'lease to take over')
}

export function found(result: SettleResult | undefined): Reading {
  if (result && 'reading' in result) return result.reading
  throw result && 'error' in result ? result.error : new Error('another run has the edge')
}

/** As it is stored now. */
export async function readingOf(world: World, edge = 'edge-a'): Promise<Reading> {
  return present(readable(await world.memory.store.reading(edge)), `reading of ${edge}`)
}

/** As it is stored now, without the lease. */
export async function headOf(world: World, edge = 'edge-a') {
  const heads = await world.memory.store.edgeHeads()
  const { leasedUntil: _, ...head } = present(
    heads.find((each) => each.edge === edge),
    `head of ${edge}`,
  )
  return head
}

/** When the lease of an edge is free, and it is free now. */
export async function isFree(world: World, edge = 'edge-a'): Promise<boolean> {
  return (await world.memory.store.takeEdge(edge, 'next', world.clock.now(), 0)) !== undefined
}
