import { AsyncLocalStorage } from 'node:async_hooks'
import { correlationIdOf } from '../contracts/rpc.ts'

const current = new AsyncLocalStorage<string>()

/**
 * The id of what is being worked on: the event's or command's own, from its message over every step of the
 * drains that it started. It stands in each line of the log and goes with each request to an edge, whose log
 * has it too.
 */
export function correlationId(): string | undefined {
  return current.getStore()
}

/** Does the work under this id. */
export function correlated<T>(id: string, work: () => Promise<T>): Promise<T> {
  return current.run(correlationIdOf(id), work)
}
