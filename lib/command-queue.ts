import type { Duration } from 'aws-cdk-lib'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { MessageQueue } from './message-queue.ts'

/**
 * Operators' commands. FIFO: the message group is what must stay in order (one destination), the
 * deduplication id is the command's own id, which the sender gives.
 */
export class CommandQueue extends MessageQueue {
  constructor(scope: Construct, id: string, props: { readonly functionTimeout: Duration }) {
    super(scope, id, { fifo: true, functionTimeout: props.functionTimeout })
  }

  /** Lets somebody send commands. */
  grantSend(grantee: IGrantable): Grant {
    return this.queue.grantSendMessages(grantee)
  }
}
