import { leaseKey } from '../../functions/aws/dynamo-leases.ts'
import { type Checkpoint, type Passing, type Stop, startCheckpoint } from '../../lab/sip/checkpoint.ts'
import type { WorldOptions } from '../../lab/world/world.ts'

/** What a run has done for a server on one edge, in this order. */
export const allDone = ['put on record', 'guarded', 'disabled', 'read and stored'] as const
export type Done = (typeof allDone)[number]

/** How far a run has come on one edge. */
export interface Step {
  readonly name: string
  readonly done: readonly Done[]
  /** Has a run stop there which disables something on the edge. */
  readonly stop: (ways: Ways, edge: string) => Stop
}

/** What stands between settle and all that it asks. */
export interface Ways {
  readonly table: Checkpoint
  readonly toEdge: ReadonlyMap<string, Checkpoint>
}

/** @returns what a world is made with, and what stands in it once it is up */
export function checkedWays(): {
  readonly options: Pick<WorldOptions, 'inFrontOf' | 'inFrontOfTable'>
  readonly ways: () => Ways
} {
  const toEdge = new Map<string, Checkpoint>()
  let table: Checkpoint | undefined
  return {
    options: {
      inFrontOf: async ({ name, address, rpcPort }) => {
        const way = await startCheckpoint(address, { host: address, port: rpcPort })
        toEdge.set(name, way)
        return { url: `${way.origin}/rpc`, close: way.close }
      },
      inFrontOfTable: async (endpoint) => {
        const behind = endpoint.then(({ hostname, port }) => ({ host: hostname, port: Number(port) }))
        table = await startCheckpoint('127.0.0.1', behind)
        return { url: table.origin, close: table.close }
      },
    },
    ways: () => {
      if (table === undefined) throw new Error('the lab is not up yet')
      return { table, toEdge }
    },
  }
}

type IsMeant = (passing: Passing) => boolean

export const leaseTaken: Step = {
  name: 'it has taken the lease',
  done: [],
  stop: ({ table }, edge) =>
    table.stop((passing) => passing.half === 'answer' && writes(edge, 'lease', passing) && !givesUp(passing)),
}

export const recordsWritten: Step = {
  name: 'it has written the records',
  done: ['put on record'],
  stop: (ways, edge) => stopBatch(ways, edge, 'request'),
}

export const batchDone: Step = {
  name: 'the edge has done what it was sent',
  done: ['put on record', 'guarded', 'disabled'],
  stop: (ways, edge) => stopBatch(ways, edge, 'answer'),
}

export const readBack: Step = {
  name: 'it has read back',
  done: ['put on record', 'guarded', 'disabled'],
  stop: (ways, edge) =>
    stopAfterRecords(ways, edge, (passing) => passing.half === 'request' && writes(edge, 'READING', passing)),
}

export const readingStored: Step = {
  name: 'the reading is stored',
  done: allDone,
  stop: (ways, edge) =>
    stopAfterRecords(ways, edge, (passing) => passing.half === 'answer' && writes(edge, 'READING', passing)),
}

export const leaseStillHeld: Step = {
  name: 'all is done but giving up the lease',
  done: allDone,
  stop: (ways, edge) =>
    stopAfterRecords(
      ways,
      edge,
      (passing) => passing.half === 'request' && writes(edge, 'lease', passing) && givesUp(passing),
    ),
}

function stopBatch({ toEdge }: Ways, edge: string, half: Passing['half']): Stop {
  const way = toEdge.get(edge)
  if (way === undefined) throw new Error(`nothing stands in front of ${edge}`)
  return way.stop((passing) => passing.half === half && /"dispatcher\.set_(duid_)?state"/.test(passing.body))
}

/**
 * The minute's settle stores readings and gives up leases too: only a run that has put something on record is
 * meant.
 */
function stopAfterRecords({ table }: Ways, edge: string, isMeant: IsMeant): Stop {
  let recorded = false
  return table.stop((passing) => {
    recorded ||= passing.half === 'answer' && writes(edge, 'RECORDS', passing)
    return recorded && isMeant(passing)
  })
}

/** Leases are written one by one, all else of an edge in a transaction under its lease. */
function writes(edge: string, row: 'lease' | 'RECORDS' | 'READING', { action, body }: Passing): boolean {
  const isWrite = action === (row === 'lease' ? 'UpdateItem' : 'TransactWriteItems')
  const key = row === 'lease' ? Object.values(leaseKey(edge)) : [`EDGE#${edge}`, row]
  return isWrite && key.every((each) => body.includes(`{"S":"${each}"}`))
}

function givesUp({ body }: Passing): boolean {
  return body.includes('":new_owner":{"S":""}')
}
