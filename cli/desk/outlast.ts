import { type Desk, rest, unlessStopped } from './desk.ts'
import { type ExitCode, exitCodes, Stop } from './exit-codes.ts'
import { failureOf, isUnreached } from './failure.ts'
import { wrapped } from './format.ts'

interface Outlasting {
  /** from one try to the next */
  readonly everyMs: number
  /** what goes on, or is done already, however the reading ends */
  readonly goesOn: string
  /** epoch ms; left out: only who stops it gives up */
  readonly giveUpAt?: number | undefined
  /** of what is given up then */
  readonly late?: ExitCode
}

/** Reads again while the network is away, which is told once until a read goes well. @throws Stop */
export async function outlasting<T>(
  desk: Desk,
  read: () => Promise<T>,
  { everyMs, goesOn, giveUpAt = Number.POSITIVE_INFINITY, late = exitCodes.error }: Outlasting,
): Promise<T> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await unlessStopped(desk, read, goesOn)
    } catch (cause) {
      if (cause instanceof Stop) throw cause
      const { line } = failureOf(cause)
      if (!isUnreached(cause)) throw new Stop(`${line}; ${goesOn}`, exitCodes.error, { cause })
      if (desk.clock.now() >= giveUpAt) throw new Stop(`timed out: ${line}; ${goesOn}`, late, { cause })
      if (failed === 0) desk.err(`${wrapped(`${line}; trying again`, desk.errColumns)}\n`)
    }
    await rest(desk, Math.min(everyMs, giveUpAt - desk.clock.now()), goesOn)
  }
}
