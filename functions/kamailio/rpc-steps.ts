import { type EdgeError, faultsOfTheWay } from '../control/errors.ts'

/** What came of one request of several. */
export type RpcAnswer<T> = { readonly result: T } | { readonly error: EdgeError }

interface Step<T> {
  /** how many answers it gives */
  readonly size: number
  run(): Promise<RpcAnswer<T>[]>
}

/**
 * One step after the other. Once the way to the edge fails, the rest is not sent, and answered with the same
 * error.
 */
export async function runSteps<T>(steps: readonly Step<T>[]): Promise<RpcAnswer<T>[]> {
  const answers: RpcAnswer<T>[] = []
  for (const { size, run } of steps) {
    const failed = answers.find((answer) => 'error' in answer && faultsOfTheWay.includes(answer.error.fault))
    answers.push(...(failed ? Array.from({ length: size }, () => failed) : await run()))
  }
  return answers
}

/** Neighbours that belong together, in order. */
export function grouped<I>(
  items: readonly I[],
  joins: (neighbours: readonly I[], next: I) => boolean,
): I[][] {
  const parts: I[][] = []
  for (const item of items) {
    const last = parts.at(-1)
    if (last && joins(last, item)) last.push(item)
    else parts.push([item])
  }
  return parts
}
