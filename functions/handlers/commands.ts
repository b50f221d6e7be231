import { fifoQueueHandler } from '../runtime/queue-handler.ts'
import { handleCommand } from '../use-cases/handle-command.ts'

export const handler = fifoQueueHandler(handleCommand)
