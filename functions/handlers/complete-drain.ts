import { look } from '../drain/look.ts'
import { stepHandler } from '../runtime/step-handler.ts'

/** A step of executions that a release before 0.2 began, and of ours after a rollback to it. */
export const handler = stepHandler(look)
