import type { Ports } from './ports.ts'

/**
 * How many drains at once may write to every edge and read each list back, three or four times: with 16 an edge of 1,000 destinations is
 * busy with its lists for a quarter of the time.
 */
const places = 16

/**
 * Does the work while fewer than {@link places} others do. Nobody queues: whoever asks first when a place is free has it. A place is
 * a throttle, no lock: the work of a step that lives for longer than it has the place goes on, and overlaps with one more.
 * @returns undefined, and nothing is done, when every place is taken
 */
export async function inTurn<T>(
  ports: Pick<Ports, 'store' | 'clock' | 'ids' | 'config'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const owner = ports.ids.next()
  const { rpcTimeoutSeconds, readBackGapSeconds } = ports.config.timers
  // What one drain takes at most as a rule, less than its function's time: the place of a step that was killed is soon free.
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
