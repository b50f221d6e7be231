import { reconcile } from '../intake/reconcile.ts'
import { scheduleHandler } from '../runtime/schedule-handler.ts'

export const handler = scheduleHandler(reconcile)
