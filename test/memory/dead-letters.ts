import type { DeadLetters, RejectedMessage } from '../../functions/ports/dead-letters.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryDeadLetters extends DeadLetters {
  readonly rejected: readonly {
    readonly message: RejectedMessage
    readonly reason: Error
  }[]
}

export function createMemoryDeadLetters(): Faulty<MemoryDeadLetters> {
  const rejected: { message: RejectedMessage; reason: Error }[] = []
  return faulty<MemoryDeadLetters>({
    rejected,
    async reject(message, reason) {
      rejected.push({ message: structuredClone(message), reason })
    },
  })
}
