/** Asked one by one, as many of one method go to an edge at once; of batches that only read four. */
export const requestsAtOnce = 16

/**
 * Neighbours that are asked together, in order: as many as hold so many lines at the most. One item at least.
 */
export function slices<T>(items: readonly T[], lines: (item: T) => number, most: number): T[][] {
  const found: T[][] = []
  let sum = 0
  for (const item of items) {
    sum += lines(item)
    const last = found.at(-1)
    if (last && sum <= most) last.push(item)
    else {
      found.push([item])
      sum = lines(item)
    }
  }
  return found
}
