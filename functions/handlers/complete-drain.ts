import { stepHandler } from '../runtime/step-handler.ts'
import { completeDrain } from '../use-cases/complete-drain.ts'

export const handler = stepHandler(completeDrain)
