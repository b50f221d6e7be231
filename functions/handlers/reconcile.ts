import { scheduleHandler } from '../runtime/schedule-handler.ts'
import { reconcile } from '../use-cases/reconcile.ts'

export const handler = scheduleHandler(reconcile)
