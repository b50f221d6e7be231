import { eventTypes } from '../contracts/names.ts'
import type { ChosenHold } from '../control/drain.ts'
import type { EdgeResult } from '../control/edge-result.ts'
import { CommandRefused } from '../control/errors.ts'
import { type Hold, holdKey, type Many, type ReplacedHold } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import { changeReadBack } from '../stored/read-back.ts'
import { type Asked, askClearance } from './ask-clearance.ts'
import { type ClearanceNeeds, wouldReplace } from './clear-drains.ts'
import { duplicatesIn, type Target } from './target.ts'

/** Who asks for a drain, why, until when, and under which hold. */
export interface DrainOrder {
  readonly source: 'alarm' | 'operator'
  readonly holdId: string
  readonly who: string
  readonly sender?: Sender | undefined
  readonly why: string
  /** why it begins whatever the floors, the limit or a freeze ask for */
  readonly force?: string | undefined
  readonly order: string
  readonly requestedAt: number
  readonly deadlineAt: number
  /** when its window begins */
  readonly beginsAt?: number | undefined
  /** when its hold is lifted by itself */
  readonly endsAt?: number | undefined
  /** what its command names, where that is for many */
  readonly of?: Many
}

/**
 * Asks for an alarm's or operator's drain. Once it may begin its hold is placed, a settle is asked for, and
 * the drain that sees it through is started. Until then it waits, which is published: nothing is lost by an
 * edge or a function that is away.
 * @returns what came of it on each edge within a short while; `stale` when something later was requested
 * about this hold already.
 * @throws DuplicateDestination an operator's; CommandRefused an operator's that can never begin
 */
export async function holdAndDrain(ports: ClearanceNeeds, target: Target, drain: DrainOrder): Promise<Held> {
  const isOperators = drain.source === 'operator'
  // An operator can mend the list and ask again; an alarm's server is held wherever it can be, and what is
  // refused is told.
  if (isOperators) duplicatesIn(target.readouts)(target)
  const asked = askedFor(target, drain)
  const { hold, beginsAt } = asked
  const cleared = await askClearance(ports, asked, isOperators ? 'refused' : 'waits')
  switch (cleared.kind) {
    case 'never':
      throw new CommandRefused(neverBegins(cleared.because))
    case 'waits': {
      const { because } = cleared
      await publishWaiting(ports, drain, hold, because)
      return { result: 'waiting', because, beginsAt, replaces: await wouldReplace(ports, hold) }
    }
    case 'stale':
      return { result: 'stale', edges: [] }
    case 'begun': {
      const wanted = await ports.store.raiseWanted()
      const resultOn = await changeReadBack(ports, wanted)
      return {
        result: cleared.result,
        edges: await resultOn(hold),
        replaces: cleared.replaces,
        placed: { hold, wanted },
      }
    }
    default:
      return cleared satisfies never
  }
}

/** Why a drain is refused that waits for what can't come. */
export function neverBegins(because: string): string {
  return `it can never begin: ${because}. Lower that floor in the settings, or send it with "force" and the reason`
}

export async function publishWaiting(
  { events }: Pick<ClearanceNeeds, 'events'>,
  { source, beginsAt }: Pick<DrainOrder, 'source' | 'beginsAt'>,
  hold: ChosenHold,
  because: string,
): Promise<void> {
  const { who, sender, why, uris, endsAt } = hold
  await events.publish({
    type: eventTypes.drainWaiting,
    detail: { drainId: holdKey(hold), source, who, sender, why, uris, because, beginsAt, endsAt },
  })
}

export function askedFor({ readouts: _, ...scope }: Target, drain: DrainOrder): Asked {
  const { source, holdId, who, sender, why, force, order, requestedAt, deadlineAt, beginsAt } = drain
  const hold: ChosenHold = {
    ...{ ...scope, source, id: holdId, who, why, order, placedAt: requestedAt, until: deadlineAt },
    ...(sender && { sender }),
    ...(force !== undefined && { force }),
    ...(drain.endsAt !== undefined && { endsAt: drain.endsAt }),
    ...(drain.of && { of: drain.of }),
  }
  return { hold, ...(beginsAt !== undefined && { beginsAt }) }
}

export type Held =
  | {
      readonly result: 'waiting'
      readonly because: string
      readonly beginsAt?: number | undefined
      readonly replaces: ReplacedHold | undefined
    }
  | {
      readonly result: 'started' | 'duplicate' | 'stale'
      readonly edges: readonly EdgeResult[]
      readonly replaces?: ReplacedHold | undefined
      /** the hold, and a value of the counter that knows it */
      readonly placed?: { readonly hold: Hold; readonly wanted: number }
    }
