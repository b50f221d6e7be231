import type { Context } from 'aws-lambda'
import type { Ports } from '../ports/ports.ts'
import { correlated } from './correlation.ts'
import { readEnvironment } from './environment.ts'
import { createLogger } from './logger.ts'
import { createPorts } from './ports.ts'

/**
 * A Lambda handler that a schedule calls: one line of the log, and a failure is Lambda's own error metric.
 */
export function scheduleHandler(
  work: (ports: Ports) => Promise<void>,
): (event: unknown, context: Context) => Promise<void> {
  const ports = createPorts(readEnvironment(process.env))
  async function run(context: Context): Promise<void> {
    const logger = createLogger()
    const startedAt = ports.clock.now()
    const facts = () => ({ requestId: context.awsRequestId, durationMs: ports.clock.now() - startedAt })
    try {
      await work(ports)
      logger.info('Reconciled', facts())
    } catch (error) {
      logger.error('Not reconciled, the next minute tries again', { ...facts(), error })
      throw error
    }
  }
  return (_event, context) => correlated(`reconcile/${context.awsRequestId}`, () => run(context))
}
