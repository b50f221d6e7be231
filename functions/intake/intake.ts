import { eventTypes, metricNames } from '../contracts/names.ts'
import { whatCouldBeRead } from '../contracts/rejected-message.ts'
import { DispatcherControlError } from '../control/errors.ts'
import { namedSender } from '../control/sender.ts'
import type { Ports } from '../ports/ports.ts'

/** One message of a queue, as it came. */
export interface Incoming {
  readonly body: string
  /** SQS's `SenderId`, which AWS has verified */
  readonly senderId: string
  /** when its sender sent it, epoch ms */
  readonly sentAt: number
  /** FIFO queues: rises with each message of a group */
  readonly sequence?: string
}

/**
 * Does the work of one message. What can never succeed goes to the dead-letter queue at once, with the
 * reason, and that is published; anything else is thrown on, so that the queue brings the message again.
 * Either way the rest of its batch goes on.
 */
export async function takeIn(
  ports: Pick<Ports, 'deadLetters' | 'events' | 'metrics' | 'config'>,
  message: Incoming,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DispatcherControlError && error.permanent)) throw error
    await ports.deadLetters.reject(message, error)
    ports.metrics.count(metricNames.rejected, 1)
    await ports.events.publish({
      type: eventTypes.messageRejected,
      detail: {
        error: error.name,
        reason: error.message,
        sender: namedSender(message.senderId, ports.config.senders),
        read: whatCouldBeRead(message.body),
        message: message.body,
      },
    })
  }
}
