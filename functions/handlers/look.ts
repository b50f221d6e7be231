import { stepHandler } from '../runtime/step-handler.ts'
import { look } from '../use-cases/look.ts'

export const handler = stepHandler(look)
