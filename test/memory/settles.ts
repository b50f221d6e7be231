import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import type { Settles } from '../../functions/ports/settles.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemorySettles extends Settles {
  readonly asked: readonly SettleRequest[]
}

/** `run` is told of each request, and nobody waits for what it does. */
export function createMemorySettles(run?: (request: SettleRequest) => void): Faulty<MemorySettles> {
  const asked: SettleRequest[] = []
  return faulty<MemorySettles>({
    asked,
    async ask(request) {
      asked.push(request)
      run?.(request)
    },
  })
}
