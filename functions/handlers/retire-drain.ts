import { stepHandler } from '../runtime/step-handler.ts'
import { retireDrain } from '../use-cases/retire-drain.ts'

export const handler = stepHandler(retireDrain)
