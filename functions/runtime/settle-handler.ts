import type { Context } from 'aws-lambda'
import { parseAs } from '../contracts/parse.ts'
import { type SettleRequest, settleRequest } from '../contracts/settle-request.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { correlated } from './correlation.ts'
import { readEdgeEnvironment } from './edge-environment.ts'
import { createEdgePorts } from './edge-ports.ts'
import { createLogger } from './logger.ts'

/**
 * A Lambda handler for what the one function with edges is asked for: one line of the log; what is thrown,
 * Lambda tries again.
 * @throws InvalidMessage for an event that is no request
 */
export function settleHandler(
  work: (ports: EdgePorts, request: SettleRequest) => Promise<void>,
): (event: unknown, context: Context) => Promise<void> {
  const ports = createEdgePorts(readEdgeEnvironment(process.env))
  async function run(event: unknown, context: Context, parsed: SettleRequest | undefined): Promise<void> {
    const logger = createLogger()
    const startedAt = ports.clock.now()
    const facts = () => ({
      kind: parsed?.kind,
      requestId: context.awsRequestId,
      durationMs: ports.clock.now() - startedAt,
    })
    try {
      await work(ports, parsed ?? parseAs(settleRequest, event, 'settle request'))
      logger.info('Settled', facts())
    } catch (error) {
      logger.error('Not settled, Lambda tries again', { ...facts(), error })
      throw error
    }
  }
  return (event, context) => {
    const { data: request } = settleRequest.safeParse(event)
    const { kind = 'settle', correlationId = `${kind}/${context.awsRequestId}` } = request ?? {}
    return correlated(correlationId, () => run(event, context, request))
  }
}
