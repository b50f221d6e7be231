import { CommandRefused } from '../control/errors.ts'
import type { CommandOutcomeRow } from './ports.ts'

/**
 * Whether an outcome that is kept answers the command that was sent with this order. What was refused may be sent again under its id, once
 * what it was refused for has been put right.
 */
export function isAnswer(
  outcome: CommandOutcomeRow | undefined,
  order: string,
): outcome is CommandOutcomeRow {
  return outcome !== undefined && (!('refused' in outcome) || outcome['order'] === order)
}

/** @throws CommandRefused where that is what came of it */
export function accepted(outcome: CommandOutcomeRow): CommandOutcomeRow {
  const { refused } = outcome
  if (typeof refused === 'string') throw new CommandRefused(refused)
  return outcome
}
