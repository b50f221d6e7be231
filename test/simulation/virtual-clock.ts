import type { MemoryClock } from '../memory/clock.ts'

interface Due {
  readonly at: number
  readonly order: number
  readonly act: () => void
}

/**
 * A virtual clock on which everything makes time pass, what happens at a time as well as who sleeps: each is
 * let finish all that it can do at once before the next one's time comes.
 */
export class VirtualClock implements MemoryClock {
  private readonly due: Due[] = []
  private time: number
  private order = 0
  private isDriven = false
  private stopped = false

  constructor(start = Date.UTC(2026, 10, 22, 20)) {
    this.time = start
  }

  /** Nothing that is due happens any more. */
  stop(): void {
    this.stopped = true
    this.due.length = 0
  }

  now(): number {
    return this.time
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.time + ms, resolve))
  }

  async advance(ms: number): Promise<void> {
    await this.sleep(ms)
  }

  at(at: number, act: () => void): void {
    if (this.stopped) return
    this.push({ at, order: ++this.order, act })
    this.drive()
  }

  private drive(): void {
    if (this.isDriven) return
    this.isDriven = true
    setImmediate(() => {
      this.isDriven = false
      const next = this.pop()
      if (!next) return
      this.time = Math.max(this.time, next.at)
      next.act()
      if (this.due.length > 0) this.drive()
    })
  }

  private push(entry: Due): void {
    const { due } = this
    let index = due.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(entry, due[parent])) break
      due[index] = due[parent] ?? entry
      index = parent
    }
    due[index] = entry
  }

  private pop(): Due | undefined {
    const { due } = this
    const [first] = due
    const last = due.pop()
    if (!last || due.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const right = due[child + 1]
      if (right && isBefore(right, due[child])) child += 1
      const least = due[child]
      if (!least || !isBefore(least, last)) break
      due[index] = least
      index = child
    }
    due[index] = last
    return first
  }
}

function isBefore(one: Due, other: Due | undefined): boolean {
  return other !== undefined && (one.at < other.at || (one.at === other.at && one.order < other.order))
}
