import type { DeadLetter, DeadLetterQueues } from '../../cli/desk/dead-letters.ts'

export interface MemoryDeadLetterQueues extends DeadLetterQueues {
  readonly letters: DeadLetter[]
  readonly redriven: DeadLetter[]
  /** ids of those that somebody looks at */
  readonly hidden: Set<string>
}

/** As SQS has them: what somebody looks at nobody else is shown. */
export function memoryDeadLetterQueues(): MemoryDeadLetterQueues {
  const letters: DeadLetter[] = []
  const redriven: DeadLetter[] = []
  const hidden = new Set<string>()
  const drop = async ({ id }: DeadLetter) => {
    const at = letters.findIndex((letter) => letter.id === id)
    letters.splice(at, 1)
    hidden.delete(id)
  }
  return {
    ...{ letters, redriven, hidden, drop },
    async look() {
      const seen = letters.filter(({ id }) => !hidden.has(id))
      for (const { id } of seen) hidden.add(id)
      return { letters: seen, unseen: letters.length - seen.length }
    },
    async release(released) {
      for (const { id } of released) hidden.delete(id)
    },
    async redrive(letter) {
      redriven.push(letter)
      await drop(letter)
    },
  }
}
