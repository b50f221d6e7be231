import { judgeAnswers } from './answers.ts'
import { Findings, since } from './findings.ts'
import { foundAt } from './holds-in-force.ts'
import type { History } from './observed.ts'
import { membership } from './operators.ts'
import { judgeChoices, judgeWaits } from './referee-choices.ts'
import { judgeEdges } from './referee-edges.ts'
import { emptyDrainMs, isDisturbed, judgeMissed, judgeRetained } from './referee-missed.ts'
import { judgeEnds, judgeWindows } from './referee-windows.ts'
import { type Call, clocksDifferMs, type Going, type Sent } from './truth.ts'

/** Judges a history by what is true, and by nothing that the product says of itself. */
export function judge(history: History): Findings {
  const findings = new Findings(history)
  for (const going of history.truth.goings) {
    judgeGoing(history, going, findings)
    judgeRetained(history, going, findings)
  }
  for (const sent of history.truth.sent) {
    judgeAction(history, sent, findings)
    judgeMessage(history, sent, findings)
  }
  judgeExecutions(history, findings)
  judgeByes(history, findings)
  judgeAnswers(history, findings)
  judgeChoices(history, findings)
  judgeWindows(history, findings)
  if (history.truth.givenBack > 0)
    findings.check('nothing is opened that we did not close', true, { at: history.startedAt }, () => '')
  for (const { edge, entry, server, at } of history.truth.opened)
    findings.check(
      'nothing is opened that we did not close',
      false,
      { at, edge, ...(server !== undefined && { server }) },
      () => `edge ${edge}: ${entry} at ${since(history, at)}`,
    )
  if (history.truth.sent.length > 0)
    findings.check(
      'nothing is written after its run',
      history.truth.lateWrites.length === 0,
      { at: history.endedAt },
      () => history.truth.lateWrites.map(({ by, at }) => `${by} at ${since(history, at)}`).join(', '),
    )
  for (const seen of [...history.calms, history.last]) {
    judgeEdges(history, seen, findings)
    judgeMissed(history, seen, findings)
    judgeWaits(history, seen, findings)
    judgeEnds(history, seen, findings)
  }
  return findings
}

/** Of each action of a machine. */
function deadlinesOf({ truth }: History, machine: Going['machine']): number[] {
  return truth.sent.flatMap(({ about }) =>
    about.kind === 'terminate' && about.machine === machine ? [about.deadlineAt] : [],
  )
}

/** A look that is older than this when the machine goes has not decided it. */
const looksDecideForMs = 90_000

/** 120 s, and what the step takes that finds itself overtaken. */
const longestWaitMs = 150_000

function judgeGoing(history: History, going: Going, findings: Findings): void {
  // Where the policy retains, an instance that is abandoned stays.
  if (going.by !== 'completion' || (going.how === 'ABANDON' && history.retains) || going.deadMachine) return
  const deadlineAt = Math.max(0, ...deadlinesOf(history, going.machine))
  const mayCut = going.at >= history.policyCutsFrom(deadlineAt) - clocksDifferMs
  const retained = going.how === 'TERMINATE'
  if (mayCut && !retained) return
  const decidedAt =
    going.decidedAt !== undefined && going.at - going.decidedAt < looksDecideForMs
      ? going.decidedAt
      : going.at
  const counted = going.callsUp.filter((call) => call.visible && !isForgiven(history, call, going))
  const up = counted.filter((call) => !isNameless(history, call, going))
  const cut = up.filter((call) => call.from < seenUntil(history, call, { at: going.at, decidedAt }))
  if (cut.length < up.length) findings.undecidable.push('a call began while its server was let go')
  if (going.callsUp.some(({ visible }) => !visible))
    findings.undecidable.push('a call that its edge does not count')
  if (up.length < counted.length)
    findings.undecidable.push('a call under a URI that only an edge off the list has shown')
  findings.check(
    'no call is cut',
    cut.length === 0,
    { at: going.at, server: going.machine.server },
    () =>
      `${going.how} of ${going.machine.id} at ${since(history, going.at)}: ${cut
        .map(
          (call) =>
            `${call.out ? 'a call from it' : 'a call to it'} over edge ${call.edge} since ${since(history, call.from)}`,
        )
        .join(', ')}`,
  )
}

/**
 * What decides a drain was counted "after the look began", by two clocks. So the first count since then, or a
 * later one, had to show a call that was up by then.
 */
function seenUntil(
  { truth, isManaged }: History,
  { edge }: Call,
  { at, decidedAt }: { readonly at: number; readonly decidedAt: number },
): number {
  const isCounted = decidedAt < at && isManaged(edge, decidedAt)
  const counts = isCounted ? (truth.edges[edge]?.countedAt ?? []) : []
  const first = counts.find((counted) => counted >= decidedAt - 2 * clocksDifferMs && counted <= at)
  return Math.max(decidedAt - clocksDifferMs, first ?? 0)
}

/**
 * What comes to an edge while it is off the list, or was released by an operator, is nobody's to count.
 */
function isForgiven({ truth, plan, isManaged }: History, call: Call, going: Going): boolean {
  const name = plan.edges[call.edge]
  const isReleased = truth.sent.some(
    ({ about, deliveredAt }) =>
      about.kind === 'release' && about.edge === name && deliveredAt !== undefined && deliveredAt <= going.at,
  )
  return isReleased || (!isManaged(call.edge, call.from) && !isManaged(call.edge, going.at))
}

/** Its edge counts it under a URI that nobody knows, and the media server's own count is not read. */
function isNameless({ plan, isKnown }: History, { uri }: Call, { at }: Going): boolean {
  return uri !== undefined && !plan.ownCount && !isKnown(uri, at)
}

function judgeAction(history: History, sent: Sent, findings: Findings): void {
  const { about, sentAt } = sent
  const found = foundAt(sent)
  if (about.kind !== 'terminate' || found > history.endedAt) return
  const { token, machine } = about
  const deadlineAt = about.deadlineAt + found - sentAt
  const going = history.truth.goings.find((one) => one.token === token)
  const subject = { at: going?.at ?? history.endedAt, since: found, server: machine.server }
  const past = going === undefined && history.plan.groupDeleted
  if (going && isKeptByNobody(history, going)) findings.undecidable.push('nobody could keep an action alive')
  else
    findings.check(
      'heartbeats come in time',
      going?.by !== 'expiry' || found > going.at || history.plan.groupDeleted,
      subject,
      () => `the action of ${machine.id} expired at ${since(history, going?.at ?? 0)}`,
    )
  const wasTried = history.endedAt > deadlineAt + 10 * 60_000
  findings.check(
    'every action ends',
    past || going !== undefined || !wasTried,
    subject,
    () => `the action of ${machine.id} is still open ${since(history, history.endedAt)} after the beginning`,
  )
  if (going && history.decidesAtDeadline)
    findings.check(
      'every action ends',
      going.at < deadlineAt + 10 * 60_000,
      subject,
      () =>
        `the action of ${machine.id} ended ${Math.round((going.at - deadlineAt) / 1000)} s after its deadline`,
    )
  judgeEmpty(history, sent, going, findings)
  const again = history.truth.goings.filter((one) => one.token === token)
  findings.check(
    'twice is once',
    again.length <= 1,
    subject,
    () => `the action of ${machine.id} was completed ${again.length} times`,
  )
}

/** Its execution had ended, and two sweeps in a row that could have found that failed before it expired. */
function isKeptByNobody({ truth, sweeps }: History, { machine, at, by }: Going): boolean {
  const ended = truth.incidents.filter(
    ({ kind, server, from }) => kind === 'execution stopped' && server === machine.server && from <= at,
  )
  return (
    by === 'expiry' &&
    ended.some(({ from }) =>
      sweeps
        .filter((one) => one.at >= from && one.at < at)
        .some((one, index, all) => one.isBroken && all[index - 1]?.isBroken),
    )
  )
}

function judgeEmpty(history: History, sent: Sent, going: Going | undefined, findings: Findings): void {
  const { truth, plan, endedAt } = history
  const { about } = sent
  const found = foundAt(sent)
  if (about.kind !== 'terminate' || !plan.isTrusted) return
  const { server } = about.machine
  const calls = truth.calls.filter(({ machine }) => machine.server === server)
  const emptyAt = Math.max(found, ...calls.map(({ to }) => Math.min(to, going?.at ?? to)))
  const endsAt = emptyAt + emptyDrainMs
  if (isDisturbed(history, server, found, endsAt) || endsAt > Math.min(about.deadlineAt, endedAt)) return
  findings.check(
    'an empty drain ends soon',
    going !== undefined && going.at <= endsAt && going.how === 'CONTINUE',
    { at: endsAt, since: found, server },
    () =>
      `${about.machine.id} had no calls from ${since(history, emptyAt)} on, and its action is ${going ? `${going.how} at ${since(history, going.at)}` : 'open'}`,
  )
}

/** Our own BYEs end calls by the policy only, from the deadline on. */
function judgeByes(history: History, findings: Findings): void {
  for (const { machine, edge, endedByUs } of history.truth.calls) {
    if (endedByUs === undefined) continue
    const deadlines = deadlinesOf(history, machine)
    const mayEnd =
      history.endsCalls && deadlines.some((deadlineAt) => endedByUs >= deadlineAt - clocksDifferMs)
    findings.check(
      'no call is ended',
      mayEnd,
      { at: endedByUs, edge, server: machine.server },
      () => `of ${machine.id} over edge ${edge} at ${since(history, endedByUs)}`,
    )
  }
}

/** Ten receives of a message, the last waits 5 minutes each, end by then. */
const redeliveredForMs = 30 * 60_000

/** Words of the product for what can really never be done here. */
const impossible = ['UnknownDestination', 'CommandRefused', 'DuplicateDestination']

function judgeMessage(history: History, sent: Sent, findings: Findings): void {
  const { about, rejected, deliveredAt, pending } = sent
  if (deliveredAt === undefined) return
  const isForNobody =
    rejected === 'EmptyTarget' &&
    history.truth.machines.every((machine) => membership(history, sent, machine) !== 'surely')
  findings.check(
    'no message is lost',
    isForNobody || rejected === undefined || impossible.includes(rejected),
    {
      at: deliveredAt + redeliveredForMs,
      since: deliveredAt,
      ...('machine' in about && { server: about.machine.server }),
    },
    () => `${about.kind} of ${since(history, deliveredAt)}: ${rejected}`,
  )
  if (pending > 0) findings.undecidable.push('a message is still on its way')
}

function judgeExecutions(history: History, findings: Findings): void {
  for (const { drainId, events } of history.executions)
    findings.check(
      'a history stays short',
      events <= 20_000,
      { at: history.endedAt },
      () => `${drainId}: ${events} events`,
    )
  // One that a later attempt has overtaken ends when its wait is over.
  const lasting = history.last.executions.filter(
    ({ drainId, attempt, startedAt, hangsSince }) =>
      hangsSince === undefined &&
      !history.last.executions.some(
        (later) =>
          later.drainId === drainId &&
          later.attempt > attempt &&
          later.startedAt > history.endedAt - longestWaitMs &&
          startedAt < later.startedAt,
      ),
  )
  const running = Map.groupBy(lasting, ({ drainId }) => drainId)
  for (const [drainId, executions] of running)
    findings.check(
      'twice is once',
      executions.length === 1,
      { at: history.endedAt },
      () =>
        `${drainId} has ${executions.length} executions: ${executions.map(({ attempt }) => attempt).join(', ')}`,
    )
}
