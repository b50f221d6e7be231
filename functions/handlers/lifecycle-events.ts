import { parseLifecycleMessage } from '../contracts/lifecycle-action.ts'
import { handleLifecycle } from '../intake/handle-lifecycle.ts'
import { queueHandler } from '../runtime/queue-handler.ts'

export const handler = queueHandler((ports, message) =>
  handleLifecycle(ports, parseLifecycleMessage(message.body)),
)
