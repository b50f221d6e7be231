import { queueHandler } from '../runtime/queue-handler.ts'
import { handleCommand } from '../use-cases/handle-command.ts'

export const handler = queueHandler('fifo', handleCommand)
