/** So many at once: of edges each takes memory for its list. */
const atOnce = 64

/**
 * Does something for each item, many at once. It ends only after every item has settled, so no write is still
 * running.
 * @returns in order the results, and what the others failed of
 */
export async function tryEach<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<{ readonly results: R[]; readonly failed: readonly unknown[] }> {
  const results: R[] = []
  const failed: unknown[] = []
  for (let start = 0; start < items.length; start += atOnce)
    for (const settled of await Promise.allSettled(items.slice(start, start + atOnce).map(work))) {
      if (settled.status === 'rejected') failed.push(settled.reason)
      else results.push(settled.value)
    }
  return { results, failed }
}

/** @throws the first of them */
export function throwFirst(failed: readonly unknown[]): void {
  if (failed.length > 0) throw failed[0]
}

/** The same as {@link tryEach}, where nothing is left to do once one has failed. @throws the first error */
export async function onEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const { results, failed } = await tryEach(items, work)
  throwFirst(failed)
  return results
}

/**
 * One after the other. What is wrong with one of them keeps no other from being done.
 * @throws what was thrown first, when all were tried
 */
export async function tryAll(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failed: unknown[] = []
  for (const work of works) {
    try {
      await work()
    } catch (error) {
      failed.push(error)
    }
  }
  throwFirst(failed)
}
