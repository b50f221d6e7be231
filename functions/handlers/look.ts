import { look } from '../drain/look.ts'
import { stepHandler } from '../runtime/step-handler.ts'

export const handler = stepHandler(look)
