import { type Findings, since } from './findings.ts'
import { wantedOf } from './holds-in-force.ts'
import type { History } from './observed.ts'
import { isOf } from './operators.ts'
import type { Answer, Sent } from './truth.ts'

/** Outcomes that say of an edge that it shows what was asked for. */
const claims = ['applied', 'already', 'reloaded']

/** An answer that names an edge without a word of a problem must be true of it when it is given. */
export function judgeAnswers(history: History, findings: Findings): void {
  for (const answer of history.truth.answers) {
    const sent = history.truth.sent.find(({ order }) => order === answer.order)
    if (!sent) continue
    for (const told of answer.edges)
      if (claims.includes(told.outcome) && !told.hasDetail) judgeTold(history, answer, sent, told, findings)
  }
}

function judgeTold(
  history: History,
  { at }: Answer,
  sent: Sent,
  { edge, open }: Answer['edges'][number],
  findings: Findings,
): void {
  const asked = sent.deliveredAt ?? sent.sentAt
  const held = open.filter(({ server }) => wasHeld(history, sent, { server, edge, asked, at }))
  const others = history.truth.incidents.filter(
    ({ kind, from, edge: where }) =>
      where === edge && ['reload', 'restart', 'hand'].includes(kind) && from >= asked && from <= at,
  )
  // A reload is one load by itself; what else changes the edge before the answer nobody can have read back.
  const own = sent.about.kind === 'reload' ? 1 : 0
  if (held.length > 0 && others.length > own) {
    findings.undecidable.push('an edge was changed before the answer that tells of it')
    return
  }
  const [first] = held
  findings.check(
    'an answer is true',
    first === undefined,
    { at, since: asked, edge, ...(first && { server: first.server }) },
    () =>
      `the ${sent.about.kind} of ${since(history, sent.sentAt)} was answered at ${since(history, at)}, and edge ${edge} shows ${first?.entry} open`,
  )
}

/** Whether it was held all the while, or is what the command was to drain. */
function wasHeld(
  history: History,
  sent: Sent,
  { server, edge, asked, at }: { server: number; edge: number; asked: number; at: number },
): boolean {
  const { about } = sent
  if (about.kind === 'many') return isBegun(history, sent, { server, at })
  if (about.kind === 'operator') {
    const isAskedFor = about.command === 'drain' && about.machine.server === server
    return isAskedFor && about.machine.goneAt === undefined && !isActivatedMeanwhile(history, sent, at)
  }
  // Its drain may have begun just now, or wait for EC2: then nothing was there to be lost.
  const launchedAt =
    history.truth.machines.findLast((machine) => machine.server === server && machine.launchedAt <= asked)
      ?.launchedAt ?? 0
  const wasDisabled = history.truth.disabled.some(
    (one) => one.edge === edge && one.server === server && one.at >= launchedAt && one.at < asked,
  )
  return wasDisabled && [asked, at].every((time) => wantedOf(history, server, time) === 'held')
}

/** An activate of many comes by a queue of its own. */
function isActivatedMeanwhile({ truth }: History, { order }: Sent, at: number): boolean {
  return truth.sent.some(
    ({ about, deliveredAt = at, ...later }) =>
      about.kind === 'many' && about.command === 'activate' && later.order > order && deliveredAt < at,
  )
}

/** Of many some may have to wait. */
function isBegun(
  { truth }: History,
  sent: Sent,
  { server, at }: { readonly server: number; readonly at: number },
): boolean {
  return truth.choices
    .everHeld(at, at)
    .some((hold) => isOf(hold, sent) && hold.places.includes(server) && hold.servers.length > 0)
}
