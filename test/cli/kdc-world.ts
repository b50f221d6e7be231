import type { Deployed, Desk, Reachable, Screen } from '../../cli/desk/desk.ts'
import type { ExitCode } from '../../cli/desk/exit-codes.ts'
import { run } from '../../cli/program.ts'
import { createWorld, type WorldOptions } from '../world/world.ts'
import { memoryDeadLetterQueues } from './dead-letter-queues.ts'
import { deployment } from './deployment.ts'
import { memorySurroundings } from './memory-surroundings.ts'

export const alice = 'arn:aws:sts::123456789012:assumed-role/Operators/alice'
export const bob = 'arn:aws:sts::123456789012:assumed-role/Operators/bob'

/** Of what is told before a deployment is looked for. */
export const unreached: Desk['reach'] = () => Promise.reject(new Error('AWS was asked'))

export interface Printed {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

interface At {
  readonly who?: string
  readonly screen?: Partial<Screen>
  readonly errColumns?: number
  /** of the machine that runs it */
  readonly clock?: Desk['clock']
  readonly ask?: Desk['ask']
  readonly stopped?: AbortSignal
  readonly onOut?: () => void
  readonly deployed?: Partial<Deployed>
  readonly reach?: Desk['reach']
  readonly contexts?: string
  readonly transport?: Desk['transport']
  readonly senderId?: string
}

/** The program over the control plane in memory, on its virtual clock. The queue hands on what it is sent. */
export function kdcWorld(options: WorldOptions = {}) {
  const world = createWorld(options)
  const around = memorySurroundings(world.ports)
  const sent: object[] = []
  const deadLetters = memoryDeadLetterQueues()
  let drawn = 0
  /** Never twice the same. */
  const random = () => {
    drawn += 1
    return (drawn * 0.618) % 1
  }
  /** Runs `kdc` as a shell would. */
  async function kdc(argv: string, at: At = {}): Promise<Printed> {
    await world.settledAll()
    let [out, err] = ['', '']
    const deployed: Reachable = {
      deployment,
      shelf: world.memory.store,
      deadLetters,
      async send({ body }) {
        const command: object = JSON.parse(body)
        sent.push(command)
        // What is refused is found under the command's id.
        world.command(command, undefined, at.senderId).catch(() => undefined)
      },
      caller: async () => at.who ?? alice,
      surroundings: async () => around,
      ...at.deployed,
    }
    const code = await run(wordsOf(argv), {
      version: '1.2.3',
      out: (text) => {
        out += text
        at.onOut?.()
      },
      err: (text) => {
        err += text
      },
      errColumns: at.errColumns,
      screen: { columns: undefined, isTerminal: false, hasColour: false, ...at.screen },
      ...(at.ask && { ask: at.ask }),
      clock: at.clock ?? world.clock,
      random,
      stopped: at.stopped ?? new AbortController().signal,
      contexts: { path: '~/.config/kdc/contexts.yaml', read: async () => at.contexts },
      transport: at.transport ?? (() => Promise.reject(new Error('this test has no client'))),
      reach: at.reach ?? (async () => deployed),
    })
    return { code, out, err }
  }
  return { world, kdc, sent, deadLetters, around }
}

/** `a 'b c'` is two words. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word)
}
