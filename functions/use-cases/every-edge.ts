import { EdgeError } from '../control/errors.ts'

/** So many at once: each takes memory for its list. */
const atOnce = 64

/** @throws what was thrown, when none of the others is at work any more: whoever comes next finds no write under way */
export async function onEveryEdge<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += atOnce)
    for (const settled of await Promise.allSettled(items.slice(start, start + atOnce).map(work))) {
      if (settled.status === 'rejected') throw settled.reason
      results.push(settled.value)
    }
  return results
}

/** Anything but an `EdgeError` is a defect of ours, not an edge's answer: it is thrown on. */
export function asEdgeError(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error
  throw error
}
