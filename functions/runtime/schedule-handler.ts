import type { Context } from 'aws-lambda'
import type { Ports } from '../ports/ports.ts'
import { correlated } from './correlation.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { createLogger } from './logger.ts'

/** What a schedule calls, and how the log names it. */
export interface Scheduled<P extends Ports> {
  /** begins the id that each of its calls is followed by */
  readonly name: string
  readonly createPorts: (environment: Environment) => P
  readonly work: (ports: P) => Promise<void>
  /** the line of the log when the work is done */
  readonly done: string
  /** how the line begins when it failed */
  readonly failed: string
}

/**
 * A Lambda handler that a schedule calls: one line of the log, and a failure is Lambda's own error metric.
 */
export function scheduleHandler<P extends Ports>({
  name,
  createPorts,
  work,
  done,
  failed,
}: Scheduled<P>): (event: unknown, context: Context) => Promise<void> {
  const ports = createPorts(readEnvironment(process.env))
  async function run(context: Context): Promise<void> {
    const logger = createLogger()
    const startedAt = ports.clock.now()
    const facts = () => ({ requestId: context.awsRequestId, durationMs: ports.clock.now() - startedAt })
    try {
      await work(ports)
      logger.info(done, facts())
    } catch (error) {
      logger.error(`${failed}, the next minute tries again`, { ...facts(), error })
      throw error
    }
  }
  return (_event, context) => correlated(`${name}/${context.awsRequestId}`, () => run(context))
}
