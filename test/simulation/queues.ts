import type { MemoryClock } from '../memory/clock.ts'
import type { Faults } from './faults.ts'
import { type FunctionName, type Runs, timeouts } from './runs.ts'
import type { Sent } from './truth.ts'

export interface Message {
  readonly body: string
  readonly senderId: string
  readonly sentAt: number
  /** FIFO queues: which of its messages stay in order, and its place among them */
  readonly group?: string
  readonly sequence?: string
}

/** What a message that is lost would have told is found a little later than what one tells. */
const unheardMs = 60_000

/** How often SQS gives a message to a function before it goes to the dead-letter queue. */
const receivesToTheEnd = 10

/**
 * The three queues as they are deployed: what fails comes again after 2, 4, 8 … 300 s, what was killed after
 * six function timeouts, and what came ten times goes to the dead-letter queue. In a FIFO queue the messages
 * of a group wait for the one before.
 */
export class Queues {
  private readonly clock: MemoryClock
  private readonly runs: Runs
  private readonly faults: Faults
  private readonly groups = new Map<string, Promise<void>>()
  private readonly byBody = new Map<string, Sent>()
  private readonly work: (name: FunctionName, message: Message) => Promise<void>

  constructor(
    clock: MemoryClock,
    runs: Runs,
    faults: Faults,
    work: (name: FunctionName, message: Message) => Promise<void>,
  ) {
    this.clock = clock
    this.runs = runs
    this.faults = faults
    this.work = work
  }

  /** Brings each copy of a message after its delay. */
  send(name: FunctionName, message: Message, delays: readonly number[], sent: Sent): void {
    this.byBody.set(message.body, sent)
    const comesAfter = delays.length === 0 ? unheardMs : Math.max(...delays)
    this.faults.lastAt = Math.max(this.faults.lastAt, this.clock.now() + comesAfter)
    const trouble = [
      delays.length === 0 && 'lost',
      delays.length > 1 && 'doubled',
      (delays[0] ?? 0) > 2000 && 'delayed',
    ]
    for (const what of trouble) if (what) this.faults.hit(`message: ${what}`, this.clock.now())
    for (const delay of delays)
      this.clock.at(this.clock.now() + delay, () =>
        this.runs.outside(() => this.arrives(name, message, sent)),
      )
  }

  /** A function has sent it to the dead-letter queue. */
  rejected(body: string, reason: string): void {
    const sent = this.byBody.get(body)
    if (sent) sent.rejected = reason
  }

  private arrives(name: FunctionName, message: Message, sent: Sent): void {
    sent.pending += 1
    const { group } = message
    const before = (group !== undefined && this.groups.get(group)) || Promise.resolve()
    const done = before.then(() => this.untilTaken(name, message, sent))
    if (group !== undefined) this.groups.set(group, done)
  }

  private async untilTaken(name: FunctionName, message: Message, sent: Sent): Promise<void> {
    for (let receives = 1; receives <= receivesToTheEnd; receives += 1) {
      this.faults.lastAt = Math.max(this.faults.lastAt, this.clock.now())
      sent.deliveredAt ??= this.clock.now()
      const outcome = await this.runs.invoke(name, () => this.work(name, message))
      this.faults.lastAt = Math.max(this.faults.lastAt, this.clock.now())
      if (outcome.end === 'answered') {
        sent.pending -= 1
        if (sent.rejected === undefined) sent.takenAt ??= this.clock.now()
        return
      }
      // The visibility timeout runs from when the message was given to the function.
      const visibleAt = outcome.startedAt + 6000 * timeouts[name] - this.clock.now()
      await this.clock.sleep(outcome.end === 'died' ? visibleAt : 1000 * Math.min(300, 2 ** receives))
    }
    sent.pending -= 1
    sent.rejected = 'exhausted'
  }
}
