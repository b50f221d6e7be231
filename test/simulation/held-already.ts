import { type Choices, isOfOneServer, type Placement } from './choices.ts'

/** Held by what nobody chose: its hold may have come while it was decided. */
export function isHeldBesides(choices: Choices, placed: Placement, from: number): boolean {
  return choices
    .everHeld(from, placed.at)
    .some((hold) => hold.key !== placed.key && !hold.isByChoice && isOfOneServer(hold, placed))
}

/** What is held already, by whomever, takes nothing. */
export function isHeldAlready(choices: Choices, placed: Placement, from: number): boolean {
  return choices
    .everHeld(from, placed.at)
    .some((hold) => hold.at < placed.at && (hold.key === placed.key || isOfOneServer(hold, placed)))
}
