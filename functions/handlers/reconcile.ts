import { reconcile } from '../intake/reconcile.ts'
import { createPorts } from '../runtime/ports.ts'
import { scheduleHandler } from '../runtime/schedule-handler.ts'

export const handler = scheduleHandler({
  name: 'reconcile',
  createPorts,
  work: reconcile,
  done: 'Reconciled',
  failed: 'Not reconciled',
})
