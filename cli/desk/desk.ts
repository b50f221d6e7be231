import type { Transport } from '@modelcontextprotocol/server'
import type { Deployment } from '../../functions/contracts/deployment.ts'
import type { Clock } from '../../functions/ports/clock.ts'
import type { Store } from '../../functions/ports/store.ts'
import type { DeadLetterQueues } from './dead-letters.ts'
import { exitCodes, Stop } from './exit-codes.ts'
import type { Surroundings } from './surroundings.ts'

/** The part of the store that a person's tool reads; it writes nothing. */
export type Shelf = Pick<
  Store,
  | 'holds'
  | 'waiting'
  | 'freeze'
  | 'drain'
  | 'edgeHeads'
  | 'reading'
  | 'listing'
  | 'edgeRecords'
  | 'inventory'
  | 'machines'
  | 'releases'
  | 'commandOutcome'
  | 'commands'
  | 'changes'
  | 'openChanges'
>

/** A command as it is sent: the message group, and the id by which SQS takes it once. */
export interface OutgoingCommand {
  readonly body: string
  readonly group: string
  readonly id: string
}

/** One deployment, as it is reached. */
export interface Reachable {
  readonly deployment: Deployment
  readonly shelf: Shelf
  readonly deadLetters: DeadLetterQueues
  send(command: OutgoingCommand): Promise<void>
  /** who AWS says that we are: an ARN */
  caller(): Promise<string>
  /** @throws Stop where the deployment is of a release that does not name what it has made */
  surroundings(): Promise<Surroundings>
}

export interface Deployed extends Reachable {
  /** how `kdc` is called for this very deployment: printed commands are pasted into a shell */
  readonly kdc: string
  /** and how the AWS CLI is: with the region and the profile that were named, or that the context names */
  readonly aws: string
}

export interface Place {
  /** the name that the deployment's parameter has */
  readonly stack: string
  readonly region?: string
  readonly profile?: string
}

/** All that the tool needs from outside. */
export interface Desk {
  /** of kdc, which is the package's */
  readonly version: string
  /** stdout: data and nothing else */
  readonly out: (text: string) => void
  /** stderr: progress and errors */
  readonly err: (text: string) => void
  /** of stderr, where that is a terminal */
  readonly errColumns: number | undefined
  readonly screen: Screen
  /** asks somebody at a terminal; absent where nobody is there */
  readonly ask?: (question: string) => Promise<boolean>
  readonly clock: Clock
  /** 0 to 1 */
  readonly random: () => number
  /** somebody stops it, or closed the pipe that it writes to */
  readonly stopped: AbortSignal
  /** where a client of the Model Context Protocol is: stdin and stdout */
  readonly transport: () => Promise<Transport>
  /** the file that names places, or nothing where there is none */
  readonly contexts: { readonly path: string; readonly read: () => Promise<string | undefined> }
  /** @param when `at once`: what does not answer within a second or two is given up */
  readonly reach: (place: Place, when?: 'at once') => Promise<Reachable>
}

export interface Screen {
  /** of a terminal; undefined: nothing is cut */
  readonly columns: number | undefined
  /** of a terminal; left out: nothing is drawn over */
  readonly rows?: number | undefined
  readonly isTerminal: boolean
  readonly hasColour: boolean
  /** a table has left a column out, or cut a cell, for want of room */
  readonly onLeftOut?: () => void
}

/**
 * What only reads: who stops it does not wait for what was asked already.
 * @param andNow what is so then
 * @throws Stop
 */
export async function unlessStopped<T>(
  { stopped }: Desk,
  read: () => Promise<T>,
  andNow = 'nothing was changed',
): Promise<T> {
  const interrupted = () => new Stop(`stopped: ${andNow}`, exitCodes.interrupted)
  if (stopped.aborted) throw interrupted()
  const stop = Promise.withResolvers<never>()
  const onStop = () => stop.reject(interrupted())
  stopped.addEventListener('abort', onStop, { once: true })
  try {
    return await Promise.race([read(), stop.promise])
  } finally {
    stopped.removeEventListener('abort', onStop)
  }
}

/** @throws Stop where somebody stopped it meanwhile */
export async function rest(desk: Desk, ms: number, andNow: string): Promise<void> {
  await unlessStopped(desk, () => desk.clock.sleep(ms), andNow)
}
