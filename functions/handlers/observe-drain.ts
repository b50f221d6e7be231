import { stepHandler } from '../runtime/step-handler.ts'
import { observeDrain } from '../use-cases/observe-drain.ts'

export const handler = stepHandler(observeDrain)
