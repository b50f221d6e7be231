import { handleSettle } from '../fleet/handle-settle.ts'
import { settleHandler } from '../runtime/settle-handler.ts'

export const handler = settleHandler(handleSettle)
