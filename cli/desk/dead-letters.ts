export const deadLetterQueues = ['commands', 'lifecycleEvents', 'alarmEvents'] as const
export type DeadLetterQueue = (typeof deadLetterQueues)[number]

/** A message that was not done, as it lies in its dead-letter queue. */
export interface DeadLetter {
  readonly queue: DeadLetterQueue
  /** SQS's own */
  readonly id: string
  /** epoch ms: when it was sent, or of one that we refused, when that was */
  readonly at: number
  /** whom AWS named as its sender; of one that a release before refused our own function */
  readonly senderId: string
  readonly body: string
  /** we refused it for this; left out: it failed in all of its tries */
  readonly refused?: { readonly error: string; readonly reason: string }
  /** by which it is deleted, until others see it again */
  readonly receipt: string
}

/** The dead-letter queues. Who looks keeps messages from others until `release`, two minutes at most. */
export interface DeadLetterQueues {
  /** @returns also how many there are that were not shown */
  look(): Promise<{ readonly letters: readonly DeadLetter[]; readonly unseen: number }>
  release(letters: readonly DeadLetter[]): Promise<void>
  drop(letter: DeadLetter): Promise<void>
  /** Sends it anew to the queue that it came from, in one's own name, and takes it out of this one. */
  redrive(letter: DeadLetter): Promise<void>
}
