import { settleHandler } from '../runtime/settle-handler.ts'
import { handleSettle } from '../use-cases/handle-settle.ts'

export const handler = settleHandler(handleSettle)
