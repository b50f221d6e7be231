import { handleCommand } from '../intake/handle-command.ts'
import { fifoQueueHandler } from '../runtime/queue-handler.ts'

export const handler = fifoQueueHandler(handleCommand)
