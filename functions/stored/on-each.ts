/** So many at once: of edges each takes memory for its list. */
const atOnce = 64

/**
 * Does something for each item, many at once. @returns results in order.
 * @throws the first error. It rejects only after every item has settled, so no write is still running.
 */
export async function onEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const failed: unknown[] = []
  for (let start = 0; start < items.length; start += atOnce)
    for (const settled of await Promise.allSettled(items.slice(start, start + atOnce).map(work))) {
      if (settled.status === 'rejected') failed.push(settled.reason)
      else results.push(settled.value)
    }
  if (failed.length > 0) throw failed[0]
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
  if (failed.length > 0) throw failed[0]
}
