import type { Deployed, Desk } from '../desk/desk.ts'
import { quotable } from '../desk/format.ts'
import type { OnDeployed } from '../desk/options.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { waitedForOn } from '../views/at-release.ts'
import { lookAround, unlessUnread } from '../views/look-around.ts'
import { agreed } from './activate.ts'
import { doCommand, prepared, type WriteOptions } from './do-command.ts'
import { undoOfRelease } from './undo.ts'

export interface ReleaseOptions extends WriteOptions {
  readonly message: string
  readonly yes?: boolean
}

/** @throws Stop where the command line is wrong */
export function release(desk: Desk, edge: string, options: ReleaseOptions): OnDeployed {
  const { dryRun = false, message: reason, yes = false } = options
  const ready = prepared(desk, { command: 'release', edge, reason, dryRun }, options)
  const undoOf = ({ result }: Outcome) => (result === 'released' ? undoOfRelease : {})
  return async (deployed) => {
    const agree = () => (yes || dryRun ? undefined : askFirst(desk, deployed, edge))
    return (await doCommand(desk, deployed, ready, { ...options, undoOf, agree })).exit
  }
}

/** Nobody gives up calls that may be up without knowing whose. @throws Stop */
async function askFirst(desk: Desk, deployed: Deployed, edge: string): Promise<void> {
  await agreed(desk, {
    does: await whatIsGivenUp(desk, deployed, edge),
    question: 'Release it?',
    otherwise: 'nothing was released',
  })
}

/** What a release of this edge does, in words that go on from `this`. */
export async function whatIsGivenUp(desk: Desk, deployed: Deployed, edge: string): Promise<string> {
  const read = await unlessUnread(() => lookAround(deployed, desk.clock.now()))
  const which =
    read && read.found.unread.length === 0
      ? nowWaiting(quotable(waitedForOn(edge, read.found)))
      : 'Which drains wait for it could not be read'
  return `has no drain wait for ${edge} any longer: calls that are up there all the same are cut when their server goes. ${which}`
}

function nowWaiting(drains: ReturnType<typeof waitedForOn>): string {
  if (drains.length === 0) return 'None waits for it now'
  const list = drains.map(({ drain, calls = 'unknown' }) => `${calls} of ${drain}`).join(', ')
  return `Calls counted there last: ${list}`
}
