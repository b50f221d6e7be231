import { type Findings, since } from './findings.ts'
import { missedMs } from './holds-in-force.ts'
import type { IncidentKind } from './incidents.ts'
import type { History, Seen } from './observed.ts'
import type { AlarmShown, Going } from './truth.ts'

/**
 * What a drain without calls takes at most: the longest wait, a few looks, the fail-over window, and
 * until it is run.
 */
export const emptyDrainMs = 280_000
/** What may make a zero doubtful at any time later. */
const doubts: readonly IncidentKind[] = [
  ...(['restart', 'relisted', 'edge comes or goes', 'address recycled', 'launch not shown'] as const),
]
/** What may keep a drain from ending while it lasts. */
const troubles: readonly IncidentKind[] = [
  ...([
    'edge trouble',
    'fault',
    'newer payload',
    'events refused',
    'store refused',
    'completions refused',
  ] as const),
  ...(['machine dies', 'row lost', 'group deleted', 'execution stopped'] as const),
]

/**
 * Whether something may have kept a drain of the server, which began at `from`, from ending by `until`.
 * @param besides no excuse
 */
export function isDisturbed(
  { truth }: History,
  server: number,
  from: number,
  until: number,
  besides?: IncidentKind,
): boolean {
  return truth.incidents.some(
    (one) =>
      one.kind !== besides &&
      (one.server === undefined || one.server === server) &&
      one.from <= until &&
      (doubts.includes(one.kind) || (troubles.includes(one.kind) && one.until >= from)),
  )
}

/** An execution hangs for two of its longest waits before anybody can know, and then it is looked for. */
const hangsMs = 240_000 + missedMs

/** What no message tells, after two minutes of calm. */
export function judgeMissed(history: History, seen: Seen, findings: Findings): void {
  if (history.plan.groupDeleted) return
  judgeWaiting(history, seen, findings)
  judgeAlarms(history, seen, findings)
  // Of a hold that is lifted nothing is left to be done but to say so.
  const inForce = seen.drains.filter(({ id }) =>
    seen.holds.some((hold) => !hold.lifted && `${hold.source}/${hold.id}` === id),
  )
  for (const { id, state, server } of inForce)
    findings.check(
      'nothing is missed',
      goesOn(history, seen, (drainId) => drainId === id, server),
      { at: seen.at, ...(server !== undefined && { server }), name: id },
      () => `nobody goes on with ${id}, which is ${state}, at ${since(history, seen.at)}`,
    )
}

/** Whose record was lost is found anew first, and then not looked at for so long. */
function goesOn(
  { truth }: History,
  { executions, at }: Seen,
  isMeant: (drainId: string) => boolean,
  server: number | undefined,
): boolean {
  const lost = truth.incidents.filter((one) => one.kind === 'row lost' && one.server === server)
  const foundAt = Math.max(...lost.map(({ from }) => from + missedMs))
  return executions.some(
    ({ drainId, hangsSince }) =>
      isMeant(drainId) && (hangsSince === undefined || at < Math.max(hangsSince, foundAt) + hangsMs),
  )
}

/** EC2 shows a machine late, and its launch is let in only then. */
const launchMissedMs = 300_000

function judgeWaiting(history: History, seen: Seen, findings: Findings): void {
  for (const { machine, kind, from, ended } of history.truth.waits) {
    const until = Math.min(ended?.at ?? seen.at, seen.at)
    const isOver = ended !== undefined && ended.at <= seen.at
    const isGoneOnWith = goesOn(history, seen, (drainId) => drainId.includes(machine.id), machine.server)
    const isSeenTo =
      kind === 'launch'
        ? (until - from <= launchMissedMs && ended?.by !== 'expiry') || ended?.by === 'others'
        : isOver || until - from <= missedMs || isGoneOnWith
    findings.check(
      'nothing is missed',
      isSeenTo,
      { at: until, server: machine.server, name: `${kind} ${machine.id}` },
      () =>
        `${machine.id} waits at our ${kind} hook from ${since(history, from)} on, still at ${since(history, until)}`,
    )
  }
}

/** An alarm without data is over where its machine is gone, and after so long. */
const withoutDataMs = 300_000

function judgeAlarms(history: History, seen: Seen, findings: Findings): void {
  const { truth } = history
  for (const { source, id, lifted, server } of seen.holds) {
    if (source !== 'alarm' || lifted || server === undefined) continue
    const shown = truth.alarmAt(server, seen.at)
    const messages = truth.sent.filter(({ about }) => about.kind === 'alarm' && about.server === server)
    const isOpen = messages.some(({ pending, rejected }) => pending > 0 || rejected !== undefined)
    if (!shown || isOpen) continue
    const takenAt = messages.flatMap((sent) => sent.takenAt ?? [])
    // While a freeze is in force it stays.
    if (truth.choices.isFrozen(seen.at - missedMs, seen.at)) continue
    const begunAt = truth.choices.placements.flatMap((placed) =>
      placed.key === `alarm/${id}` ? placed.at : [],
    )
    const overAt = Math.max(
      alarmOverAt(history, shown),
      ...[...takenAt, ...begunAt].filter((at) => at <= seen.at),
    )
    findings.check(
      'nothing is missed',
      seen.at < overAt + missedMs,
      { at: seen.at, server, name: id },
      () =>
        `${id} is ${shown.state} since ${since(history, shown.at)}, and its hold is there at ${since(history, seen.at)}`,
    )
  }
}

function alarmOverAt({ truth }: History, { server, state, at }: AlarmShown): number {
  if (state === 'OK' || state === 'deleted') return at
  const { about } = truth.sent.findLast(
    (sent) => sent.about.kind === 'alarm' && sent.about.server === server && sent.about.state === 'ALARM',
  ) ?? { about: undefined }
  const goneAt = about?.kind === 'alarm' ? about.machine.goneAt : undefined
  if (state === 'ALARM' || goneAt === undefined) return Number.POSITIVE_INFINITY
  return Math.max(goneAt, at + withoutDataMs)
}

/** How long after its last call a retained instance is gone, where nothing keeps its drain from ending. */
export const retainedMs = emptyDrainMs + hangsMs

/** A retained instance goes when its calls are over. */
export function judgeRetained(history: History, going: Going, findings: Findings): void {
  const { truth, plan, endedAt, retains } = history
  const { machine, how, at, deadMachine } = going
  if (how !== 'ABANDON' || !retains || deadMachine || !plan.isTrusted) return
  const calls = truth.calls.filter((call) => call.machine === machine)
  const endsAt = Math.max(at, ...calls.map(({ to }) => to)) + retainedMs
  if (endsAt > endedAt || isDisturbed(history, machine.server, at, endsAt, 'execution stopped')) return
  findings.check(
    'nothing is missed',
    machine.goneAt !== undefined && machine.goneAt <= endsAt,
    { at: endsAt, since: at, server: machine.server },
    () => `${machine.id} was retained at ${since(history, at)}, and is there at ${since(history, endsAt)}`,
  )
}
