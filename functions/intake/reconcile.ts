import { tryAll } from '../stored/on-each.ts'
import { endMarks, type MarkNeeds } from './end-marks.ts'
import { fileChanges } from './file-changes.ts'
import { publishSettled } from './pending-outcomes.ts'

/**
 * Once a minute, also while nothing is drained: events that were refused are published, and so is what
 * outcomes left pending; marks without a reason end; changes are filed. The edges themselves are settled by
 * the settle function, once a minute too.
 */
export async function reconcile(ports: MarkNeeds): Promise<void> {
  await tryAll([
    () => ports.events.publishKept(),
    () => publishSettled(ports),
    () => endMarks(ports),
    () => fileChanges(ports),
  ])
}
