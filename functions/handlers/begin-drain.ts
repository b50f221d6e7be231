import { stepHandler } from '../runtime/step-handler.ts'
import { beginDrain } from '../use-cases/begin-drain.ts'

export const handler = stepHandler(beginDrain)
