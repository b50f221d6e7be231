import type { DeadLetters } from '../../functions/ports/dead-letters.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryDeadLetters extends DeadLetters {
  readonly rejected: readonly {
    readonly message: Parameters<DeadLetters['reject']>[0]
    readonly reason: Error
  }[]
}

export function createMemoryDeadLetters(): Faulty<MemoryDeadLetters> {
  const rejected: { message: Parameters<DeadLetters['reject']>[0]; reason: Error }[] = []
  return faulty<MemoryDeadLetters>({
    rejected,
    async reject(message, reason) {
      rejected.push({ message: structuredClone(message), reason })
    },
  })
}
