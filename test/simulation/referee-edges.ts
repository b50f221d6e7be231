import { keyOf } from './edge-truth.ts'
import { type Findings, since } from './findings.ts'
import { isAgainInAlarm, isUndecided, type Wanted, wantedOf, wasPlaced } from './holds-in-force.ts'
import type { EdgeSeen, History, Seen } from './observed.ts'
import { operators, saidOf } from './operators.ts'
import type { Machine, Sent } from './truth.ts'

/** What edges and store must show after two minutes of calm. */
export function judgeEdges(history: History, seen: Seen, findings: Findings): void {
  const wantedByServer = Array.from({ length: history.plan.servers }, (_, server) =>
    wantedOf(history, server, seen.at),
  )
  for (const wanted of wantedByServer) if (isUndecided(wanted)) findings.undecidable.push(wanted)
  for (const edge of seen.edges) if (edge.configured) judgeEdge(history, seen, edge, wantedByServer, findings)
  judgeRecords(history, seen, wantedByServer, findings)
  judgeMarks(history, seen, findings)
  judgeDrains(history, seen, findings)
}

function judgeEdge(
  history: History,
  seen: Seen,
  edge: EdgeSeen,
  wantedByServer: readonly Wanted[],
  findings: Findings,
): void {
  const at = since(history, seen.at)
  for (const { set, uri, server, flags, accepts, isLate } of edge.entries) {
    const wanted = server === undefined ? 'free' : (wantedByServer[server] ?? 'free')
    const right = wanted === 'held' ? 'D' : accepts.join(' or ')
    const what = () => `${edge.id}, set ${set}, ${uri} shows ${flags} at ${at}, right is ${right}`
    const of = {
      at: seen.at,
      edge: edge.index,
      ...(server !== undefined && { server }),
      name: `${set} ${uri}`,
    }
    if (isUndecided(wanted)) continue
    // Nobody can tell it from a stranger's. What is held is put right all the same.
    const isLateGuard = wanted === 'free' && edge.guardedLate.includes(uri)
    if (isLateGuard || (wanted === 'free' && isLate))
      findings.undecidable.push('a late write that no fence refused')
    if (edge.hasGuard && !isLateGuard)
      findings.check(
        'the guard agrees',
        edge.guarded.includes(uri) === (wanted === 'held'),
        of,
        () =>
          `${edge.id}, ${uri} is ${edge.guarded.includes(uri) ? '' : 'not '}in the guard at ${at}, and it is ${wanted}`,
      )
    if (wanted === 'held') {
      findings.check('held is disabled', flags.startsWith('D'), of, what)
      continue
    }
    if (isLate) continue
    if (accepts.length > 1) findings.undecidable.push('what an entry showed before')
    const isStranded = flags.startsWith('D') && !accepts.includes(flags)
    findings.check('free is given back', !isStranded, of, what)
    if (!isStranded) findings.check('former flags are exact', accepts.includes(flags), of, what)
  }
}

function judgeRecords(
  history: History,
  seen: Seen,
  wantedByServer: readonly Wanted[],
  findings: Findings,
): void {
  for (const { edge: id, set, uri, flags, server: place } of seen.records) {
    const edge = seen.edges.find((one) => one.id === id)
    // What is off the list of edges may come back as it was left.
    if (!edge?.configured) continue
    const listed = edge.entries.find((entry) => keyOf(entry.set, entry.uri) === keyOf(set, uri))
    const server = seen.edges.flatMap(({ entries }) => entries).find((entry) => entry.uri === uri)?.server
    const wanted = (server !== undefined && wantedByServer[server]) || 'undecided: nobody'
    const isLeft = listed ? wanted === 'free' : seen === history.last
    if (listed && isUndecided(wanted)) continue
    findings.check(
      'no record outlives its reason',
      !isLeft,
      {
        at: seen.at,
        ...(!listed && { since: history.startedAt }),
        edge: edge.index,
        ...(place !== undefined && { server: place }),
        name: `${set} ${uri}`,
      },
      () =>
        `${id}, set ${set}, ${uri}: ${flags} at ${since(history, seen.at)}, ${listed ? 'nothing holds it' : 'no longer listed there'}`,
    )
  }
}

/** After so long a mark has ended, whoever has to notice. */
const minutesMs = 300_000

function judgeMarks(history: History, seen: Seen, findings: Findings): void {
  const { truth } = history
  judgeLiftings(history, seen, findings)
  for (const hold of seen.holds) {
    const isByChoice = hold.source === 'alarm' || hold.source === 'operator'
    if (hold.lifted || (isByChoice && truth.choices.isFrozen(seen.at - minutesMs, seen.at))) continue
    const machine = machineOf(truth.machines, hold.id)
    if (!machine || machine.goneAt === undefined || machine.goneAt + minutesMs > seen.at) continue
    const heirs = truth.machines.slice(truth.machines.indexOf(machine) + 1)
    const isInherited = heirs.some(
      (heir) => heir.server === machine.server && endsMark(history, machine, heir, seen.at),
    )
    // What is in no list file is off the lists once they are loaded.
    const isListed =
      seen !== history.last ||
      seen.edges.some(({ entries }) => entries.some(({ server }) => server === machine.server))
    findings.check(
      'no mark outlives its reason',
      !isInherited &&
        (isListed || history.isListed(machine.server) || isLoadedSince(history, seen.at - minutesMs)),
      { at: seen.at, server: machine.server, name: `${hold.source} ${hold.id}` },
      () =>
        `${hold.source} ${hold.id} at ${since(history, seen.at)}: its machine is gone since ${since(history, machine.goneAt ?? 0)}, ${isInherited ? 'another has its address' : 'it is listed nowhere'}`,
    )
  }
}

/** Whether an edge took up another list since then. */
function isLoadedSince({ plan }: History, at: number): boolean {
  return plan.listsLoadedAt.some((loadedAt) => loadedAt > at)
}

function judgeLiftings(history: History, seen: Seen, findings: Findings): void {
  const lifts = history.truth.sent.some(
    ({ about, takenAt }) =>
      takenAt !== undefined &&
      takenAt < seen.at &&
      (about.kind === 'launch' ||
        ((about.kind === 'operator' || about.kind === 'many') &&
          (about.command === 'activate' || about.endsAt !== undefined)) ||
        (about.kind === 'alarm' && about.state === 'OK')),
  )
  // What was lifted waits for an edge that is off the list.
  if (!lifts || seen.edges.some(({ configured }) => !configured)) return
  const waiting = seen.holds.filter(({ lifted }) => lifted)
  for (const { source, id, server } of waiting)
    findings.check(
      'no lifting stays undone',
      false,
      { at: seen.at, ...(server !== undefined && { server }), name: `${source} ${id}` },
      () => `${source} ${id} at ${since(history, seen.at)}`,
    )
  if (waiting.length === 0) findings.check('no lifting stays undone', true, { at: seen.at }, () => '')
}

/**
 * An heir that is gone itself leaves the address to nobody: it ends the mark if it was admitted, or was there
 * for long enough.
 */
function endsMark(history: History, machine: Machine, heir: Machine, seenAt: number): boolean {
  const { truth } = history
  const { launchedAt, shownAt, goneAt = Number.POSITIVE_INFINITY, server } = heir
  const markedAt = truth.goings.find((going) => going.machine === machine)?.at ?? Number.POSITIVE_INFINITY
  return truth.sent.some(({ about, deliveredAt, takenAt }) => {
    if (about.kind !== 'launch' || about.machine !== heir || !deliveredAt || !takenAt) return false
    const noticedAt = Math.max(launchedAt, takenAt) + minutesMs
    if (noticedAt > seenAt) return false
    const isAdmitted =
      Math.max(shownAt, markedAt) < deliveredAt &&
      takenAt < goneAt &&
      !history.wasUnlisted(server, deliveredAt, takenAt)
    return isAdmitted || noticedAt <= goneAt
  })
}

function machineOf(machines: readonly Machine[], id: string): Machine | undefined {
  return machines.find((machine) => id.includes(machine.id))
}

function judgeDrains(history: History, seen: Seen, findings: Findings): void {
  if (seen !== history.last) return
  const { truth, plan } = history
  for (const { id, state, server } of seen.drains) {
    const machine = machineOf(truth.machines, id)
    const what = () => `${id} is ${state} at ${since(history, seen.at)}`
    const isClaimed = state === 'claimed'
    // What the sweep found, and could not hold at once, is not found again where its group is gone.
    if (isClaimed && plan.groupDeleted && !wasDelivered(history, machine)) continue
    const isGone =
      machine?.goneAt !== undefined && machine.goneAt + minutesMs < seen.at && id.startsWith('lifecycle/')
    const of = { at: seen.at, ...(server !== undefined && { server }), name: id }
    findings.check('no drain outlives its hold', !isClaimed && !isGone && !wasLifted(history, id), of, what)
  }
}

function wasDelivered({ truth }: History, machine: Machine | undefined): boolean {
  return truth.sent.some(
    ({ about, deliveredAt }) =>
      about.kind === 'terminate' && about.machine === machine && deliveredAt !== undefined,
  )
}

/** Whether what was said last of an operator's or alarm's drain lifts its hold, long ago. */
function wasLifted(history: History, id: string): boolean {
  const { truth, last } = history
  const isFrozen = truth.choices.isFrozen(last.at - minutesMs, last.at)
  const machine = machineOf(truth.machines, id)
  if (machine && id.startsWith('operator/')) {
    const by = operators.find((name) => id.endsWith(`/${name}`)) ?? 'alice'
    const final = saidOf(history, machine, by, 'instance')
      .filter(({ sent }) => sent.deliveredAt !== undefined && sent.rejected === undefined)
      .at(-1)
    if (!final || final.is === 'maybe' || !isLongAgo(history, final.sent)) return false
    if (final.command === 'activate') return true
    // What waited until its end has changed nothing.
    return (
      !isFrozen && wasPlaced(truth, final, machine.server) && (final.endsAt ?? last.at) + minutesMs < last.at
    )
  }
  const final = truth.sent.findLast(
    ({ about, deliveredAt, rejected }) =>
      deliveredAt !== undefined &&
      rejected === undefined &&
      about.kind === 'alarm' &&
      id === `alarm/alarm-${about.server}`,
  )
  if (isFrozen || final?.about.kind !== 'alarm') return false
  if (isAgainInAlarm(history, final)) return false
  return isLongAgo(history, final) && final.about.state === 'OK'
}

function isLongAgo({ last }: History, { pending, takenAt = last.at }: Sent): boolean {
  return pending === 0 && takenAt + minutesMs <= last.at
}
