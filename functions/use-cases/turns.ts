import type { Ports } from './ports.ts'

/**
 * How many drains at once may write to every edge and read each list back, three or four times: with 16 an edge of 1,000 destinations is
 * busy with its lists for a quarter of the time.
 */
const places = 16

/**
 * Too many drains at once wait in turn: does the work while fewer than {@link places} others do.
 * @returns undefined, and nothing is done, when every place is taken
 */
export async function inTurn<T>(
  ports: Pick<Ports, 'store' | 'clock' | 'ids' | 'config'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const owner = ports.ids.next()
  const { rpcTimeoutSeconds, readBackGapSeconds } = ports.config.timers
  // What one drain may take, see timeBudgets in lib/: after that its function is dead.
  const longest = (15 * rpcTimeoutSeconds + readBackGapSeconds) * 1000
  for (let place = 0; place < places; place += 1) {
    const name = `turn/${place}`
    const now = ports.clock.now()
    if (!(await ports.store.takeLease(name, owner, now, now + longest))) continue
    try {
      return await work()
    } finally {
      await ports.store.releaseLease(name, owner)
    }
  }
  return undefined
}
