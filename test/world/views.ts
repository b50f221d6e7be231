import { type DrainRow, toDrainRow } from '../../functions/aws/drain-row.ts'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import type { MemoryClock } from '../memory/clock.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import type { MemoryPorts } from '../memory/ports.ts'
import { present } from '../present.ts'
import type { Execution } from '../workflow/interpreter.ts'
import { drainId, hours, isWrite, seconds, server } from './samples.ts'
import { flagsOf, formerFlagsOf } from './shown-flags.ts'

export interface Begun {
  readonly input: WorkflowPayload
  readonly done: Promise<Execution>
}

interface Around {
  readonly memory: MemoryPorts
  readonly clock: MemoryClock
  readonly startedAt: number
  readonly edges: readonly MemoryEdge[]
  readonly executions: readonly Begun[]
}

/** What a test looks at. */
export function views({ memory, clock, startedAt, edges, executions }: Around) {
  const execution = (nth = 0) => present(executions.at(nth), `execution ${nth}`)
  const edgeOf = (id: string) => edges.find((each) => each.id === id)
  /** One of those that the world began with. */
  const edge = (id: string) => present(edgeOf(id), `edge ${id} in this world`)
  return {
    /** Lets time pass until the drain's record says so; five virtual days are never. */
    async until(what: (row: DrainRow | undefined) => boolean, id = drainId) {
      const end = clock.now() + 120 * hours
      for (;;) {
        const drain = await memory.store.drain(id)
        if (what(drain && toDrainRow(drain))) return
        if (clock.now() > end) throw new Error(`drain ${id} never came there`)
        await clock.sleep(5 * seconds)
      }
    },
    edge,
    execution,
    /** What the execution was begun with; -1 is the last. */
    payload: (nth = 0) => execution(nth).input,
    /** A drain's row, as it is stored. */
    record: async (id = drainId) => toDrainRow(present(await memory.store.drain(id), `drain ${id}`)),
    /** The only one in force. */
    hold: async () => {
      const [hold, ...more] = await memory.store.holds()
      if (more.length > 0) throw new Error(`${more.length} more holds are in force`)
      return present(hold, 'hold in force')
    },
    /** Flags of a destination by edge and set, as Kamailio has them. */
    flags: (uri = server) => flagsOf(memory.fleet.list, uri),
    /** Every hold that is not lifted, as `source/id`. */
    heldBy: async () =>
      (await memory.store.holds())
        .filter((hold) => !hold.lifted)
        .map((hold) => `${hold.source}/${hold.id}`)
        .sort(),
    /** What is on record of a destination before its first hold, by edge and set. */
    formerFlags: (uri = server) => formerFlagsOf(memory.store, memory.fleet.list, uri),
    /** How the lifecycle actions ended, with when. */
    ended: () =>
      memory.lifecycleActions.ended().map(({ result, by, at }) => ({ result, by, at: at - startedAt })),
    writes: (id?: string) =>
      (id === undefined ? edges : [edge(id)]).flatMap(({ requests }) => requests.filter(isWrite)),
  }
}
