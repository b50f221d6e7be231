import type { Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop, worse } from '../desk/exit-codes.ts'
import { failureOf } from '../desk/failure.ts'
import { columnsBeside, wrappedError } from '../desk/format.ts'

interface WorkOff<Each> {
  /** such as `not sent`, of those whose turn does not come */
  readonly left: string
  /** @param own where several have their turn, what it prints to stderr begins with whose it is */
  readonly work: (each: Each, own: Desk) => Promise<ExitCode>
}

/**
 * One after the other. One that is refused keeps none of the others from its turn; whoever stops it does.
 * @returns the worst of their exit codes
 * @throws what the next one would meet as well, such as credentials that have expired
 */
export async function workOff<Each extends { readonly words: string }>(
  desk: Desk,
  all: readonly Each[],
  { left, work }: WorkOff<Each>,
): Promise<ExitCode> {
  const showLeft = (those: readonly Each[]) => {
    if (those.length > 0) desk.err(`${left}: ${those.map(({ words }) => words).join(', ')}\n`)
  }
  let exit: ExitCode = exitCodes.done
  for (const [turn, each] of all.entries()) {
    if (exit === exitCodes.interrupted || (turn > 0 && desk.stopped.aborted)) {
      showLeft(all.slice(turn))
      return exitCodes.interrupted
    }
    const label = all.length > 1 ? `${each.words}: ` : ''
    try {
      exit = worse(exit, await work(each, labelled(desk, label)))
    } catch (error) {
      if (!(error instanceof Stop)) {
        showLeft(all.slice(turn + 1))
        throw error
      }
      desk.err(`${wrappedError(`kdc: ${label}${failureOf(error).line}`, desk.errColumns)}\n`)
      exit = worse(exit, error.exitCode)
    }
  }
  return exit
}

function labelled(desk: Desk, label: string): Desk {
  const { errColumns } = desk
  return {
    ...desk,
    err: (text) => desk.err(`${label}${text}`),
    errColumns: columnsBeside(label, errColumns),
  }
}
