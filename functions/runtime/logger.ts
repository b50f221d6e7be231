import { Logger } from '@aws-lambda-powertools/logger'
import { correlationId } from './correlation.ts'

/**
 * What a line of the log is about: the drain, or the message before there is one. `eventId` is the id that
 * its sender gave it: EventBridge's, or the command's.
 */
export type Correlation =
  | { readonly drainId: string }
  | { readonly messageId: string; readonly eventId?: string | undefined }

/**
 * A logger that writes JSON lines; each carries the deployment's name, from the environment, the correlation,
 * and the id under which it was made.
 */
export function createLogger(correlation?: Correlation): Logger {
  return new Logger({ persistentKeys: { correlationId: correlationId(), ...correlation } })
}
