import { Logger } from '@aws-lambda-powertools/logger'
import { eventSource } from '../contracts/names.ts'

/** What a line of the log is about: the drain, or the event or command before there is one. */
export type Correlation = { readonly drainId: string } | { readonly eventId: string }

/** A logger that writes JSON lines; each carries the correlation. */
export function createLogger(correlation?: Correlation): Logger {
  return new Logger({ serviceName: eventSource, ...(correlation && { persistentKeys: { ...correlation } }) })
}
