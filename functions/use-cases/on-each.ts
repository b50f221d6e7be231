/** So many at once: of edges each takes memory for its list. */
const atOnce = 64

/**
 * Does something for each item, many at once. @returns results in order.
 * @throws what was thrown, when none of the others is at work any more: whoever comes next finds no write under way
 */
export async function onEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += atOnce)
    for (const settled of await Promise.allSettled(items.slice(start, start + atOnce).map(work))) {
      if (settled.status === 'rejected') throw settled.reason
      results.push(settled.value)
    }
  return results
}
