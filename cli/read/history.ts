import { filedUnder } from '../../functions/aws/dynamo-changes.ts'
import { type ChangesOf, type FiledChange, filedForm } from '../../functions/control/filed-change.ts'
import { isInstanceId } from '../../functions/control/resolve.ts'
import { principalOf } from '../../functions/control/sender.ts'
import type { Deployed, Desk, Shelf } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { print } from '../desk/format.ts'
import { moreThan, type OnDeployed, type OutputOptions } from '../desk/options.ts'
import { daysBack } from '../desk/times.ts'
import { showCommands, showHistory } from '../show/show-history.ts'
import { targetNamed } from '../views/explain.ts'
import { lookAround } from '../views/look-around.ts'

/** Left out, it is asked for on so many days, the last ones first. */
const mostDays = 7
const pageSize = 50

export interface ListOptions extends OutputOptions {
  readonly limit: number
  readonly day?: string
}

export interface HistoryOptions extends ListOptions {
  readonly sender?: string
}

/** What was changed, the newest first. @throws Stop where the command line is wrong */
export function history(desk: Desk, target: string | undefined, options: HistoryOptions): OnDeployed {
  const { day, sender } = options
  const given = [target, day, sender].filter((one) => one !== undefined)
  if (given.length > 1)
    throw new Stop('name one of a target, --day and --sender: each is a file of its own', exitCodes.usage)
  const of = { ...options, ...(sender !== undefined && { sender: senderOf(sender) }) }
  return (deployed) => historyOf(desk, deployed, target, of)
}

async function historyOf(
  desk: Desk,
  deployed: Deployed,
  target: string | undefined,
  options: HistoryOptions,
): Promise<ExitCode> {
  const { limit, output } = options
  const asked = await questions(desk, deployed, target, options)
  const open = await notFiled(deployed.shelf)
  tellUnread(desk, open.unread)
  const isAsked = (of: ChangesOf) => asked.questions.some((each) => sameQuestion(each, of))
  const found = new Map(
    open.changes.filter((change) => filedUnder(change).some(isAsked)).map((change) => [change.id, change]),
  )
  for (const of of asked.questions) {
    if (asked.inTurn && found.size >= limit) break
    for (const change of await filed(desk, deployed.shelf, of, limit + 1)) found.set(change.id, change)
  }
  const newest = [...found.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1))
  if (newest.length > limit) desk.err(moreThan(limit))
  print(desk, showHistory(newest.slice(0, limit), target), output)
  return exitCodes.done
}

interface Asked {
  readonly questions: readonly ChangesOf[]
  /** a later one is asked only where the ones before it found too little */
  readonly inTurn: boolean
}

async function questions(
  desk: Desk,
  deployed: Deployed,
  target: string | undefined,
  { day, sender }: HistoryOptions,
): Promise<Asked> {
  if (target !== undefined) {
    const destinations = await destinationsOf(desk, deployed, target)
    return { questions: destinations.map((destination) => ({ destination })), inTurn: false }
  }
  if (sender !== undefined) return { questions: [{ sender }], inTurn: false }
  return { questions: daysBack(desk.clock.now(), day, mostDays).map((each) => ({ day: each })), inTurn: true }
}

/** Under what a server's changes are on file: its URIs, or its id. A URI may have left the lists. */
async function destinationsOf(desk: Desk, deployed: Deployed, target: string): Promise<readonly string[]> {
  if (isInstanceId(target)) return [target]
  try {
    return targetNamed(target, await lookAround(deployed, desk.clock.now())).uris
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    if (/^sips?:/i.test(target)) return [target]
    throw new Stop(`${error.message}; of one that has left them, write its whole URI or its instance's id`)
  }
}

/** @throws Stop */
function senderOf(text: string): string {
  if (/^arn:[^:]*:(sts|iam):/.test(text))
    throw new Stop(
      `--sender "${text}" is an ARN: changes are on file under IAM's unique id, as aws sts get-caller-identity --query UserId prints it`,
      exitCodes.usage,
    )
  return principalOf(text)
}

/** Such as one of a later release: it keeps none of the others from being shown. */
export function tellUnread(desk: Desk, rows: readonly string[]): void {
  for (const row of rows) desk.err(`a row can't be read: ${row}\n`)
}

/** What edges have not shown yet; it is on file within minutes. */
async function notFiled({ openChanges }: Shelf) {
  const { changes, unread } = await openChanges()
  return { changes: changes.map((change) => ({ ...filedForm(change, []), complete: false })), unread }
}

/** The last ones of today, each once, the oldest first. */
export async function recentChanges(
  shelf: Shelf,
  now: number,
): Promise<{ readonly changes: readonly FiledChange[]; readonly unread: readonly string[] }> {
  const [day = ''] = daysBack(now, undefined, 1)
  // In this order: what is filed meanwhile is there twice, and not missing.
  const open = await notFiled(shelf)
  const filed = await shelf.changes({ day }, { most: 20 })
  const found = new Map([...open.changes, ...filed.changes].map((change) => [change.id, change]))
  return {
    changes: [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    unread: [...open.unread, ...filed.unread],
  }
}

async function filed(desk: Desk, shelf: Shelf, of: ChangesOf, most: number): Promise<FiledChange[]> {
  const found: FiledChange[] = []
  let before: string | undefined
  do {
    const page = { most: Math.min(pageSize, most - found.length), ...(before !== undefined && { before }) }
    const { changes, unread, next } = await shelf.changes(of, page)
    tellUnread(desk, unread)
    found.push(...changes)
    before = next
  } while (before !== undefined && found.length < most)
  return found
}

function sameQuestion(one: ChangesOf, other: ChangesOf): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** Commands that were answered, the newest first; each once. */
export async function getCommands(
  desk: Desk,
  { shelf }: Deployed,
  { limit, day, output }: ListOptions,
): Promise<ExitCode> {
  const found = new Map<string, Awaited<ReturnType<Shelf['commands']>>['commands'][number]>()
  for (const each of daysBack(desk.clock.now(), day, mostDays)) {
    let before: string | undefined
    do {
      const { commands, unread, next } = await shelf.commands(each, {
        most: pageSize,
        ...(before !== undefined && { before }),
      })
      tellUnread(desk, unread)
      for (const command of commands) if (!found.has(command.id)) found.set(command.id, command)
      before = next
    } while (before !== undefined && found.size <= limit)
    if (found.size > limit) break
  }
  if (found.size > limit) desk.err(moreThan(limit))
  print(desk, showCommands([...found.values()].slice(0, limit), desk.clock.now()), output)
  return exitCodes.done
}
