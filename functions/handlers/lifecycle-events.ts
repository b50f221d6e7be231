import { parseLifecycleMessage } from '../contracts/lifecycle-action.ts'
import { queueHandler } from '../runtime/queue-handler.ts'
import { handleLifecycle } from '../use-cases/handle-lifecycle.ts'

export const handler = queueHandler((ports, message) =>
  handleLifecycle(ports, parseLifecycleMessage(message.body)),
)
