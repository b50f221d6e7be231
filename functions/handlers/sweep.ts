import { sweep } from '../intake/sweep.ts'
import { scheduleHandler } from '../runtime/schedule-handler.ts'
import { createSweepPorts } from '../runtime/sweep-ports.ts'

export const handler = scheduleHandler({
  name: 'sweep',
  createPorts: createSweepPorts,
  work: sweep,
  done: 'Swept',
  failed: 'Not swept',
})
