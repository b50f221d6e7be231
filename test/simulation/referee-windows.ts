import type { Findings } from './findings.ts'
import { since } from './findings.ts'
import { endedMs } from './holds-in-force.ts'
import type { History, Seen } from './observed.ts'
import { askedBy, isOf, membership, saidOf } from './operators.ts'
import { hasOtherReason } from './referee-choices.ts'
import { clocksDifferMs, type Machine, type Sent } from './truth.ts'

/** Holds with a beginning and an end, and those of commands for many, each as it is written. */
export function judgeWindows(history: History, findings: Findings): void {
  for (const hold of history.truth.choices.holds) {
    const asked = askedBy(history, hold)
    if (!asked || !hold.key.startsWith('operator/')) continue
    const [server] = hold.places
    const of = { at: hold.at, since: hold.at, ...(server !== undefined && { server }) }
    if (hold.isLifted) {
      const isEarly = (asked.endsAt ?? Number.POSITIVE_INFINITY) > hold.at + clocksDifferMs
      findings.check(
        'a hold keeps to its time',
        hold.run?.name !== 'sweep' || !isEarly || hasOtherReason(history, hold),
        of,
        () => `${hold.key} was lifted by the sweep at ${since(history, hold.at)}, before its end`,
      )
      findings.check(
        'many are each seen to',
        hold.key.endsWith(`/${asked.by}`),
        of,
        () => `${hold.key} was lifted by ${asked.by} at ${since(history, hold.at)}`,
      )
    } else if (asked.beginsAt !== undefined)
      findings.check(
        'a hold keeps to its time',
        hold.at >= asked.beginsAt - clocksDifferMs,
        of,
        () =>
          `${hold.key} was placed at ${since(history, hold.at)}, and its window begins at ${since(history, asked.beginsAt ?? 0)}`,
      )
  }
  for (const sent of history.truth.sent) judgeMembers(history, sent, findings)
}

/** What has come to its end is neither held nor waits minutes later; a freeze keeps what is held. */
export function judgeEnds(history: History, seen: Seen, findings: Findings): void {
  const { choices } = history.truth
  const isFrozen = choices.isFrozen(seen.at - endedMs, seen.at)
  const held = choices.everHeld(seen.at, seen.at)
  const waits = choices.waitingAt(seen.at).map((wait) => ({ ...wait, at: wait.from }))
  for (const one of [...(isFrozen ? [] : held), ...waits]) {
    const endsAt = askedBy(history, one)?.endsAt
    if (endsAt === undefined) continue
    const [server] = one.places
    findings.check(
      'a hold keeps to its time',
      seen.at < Math.max(endsAt, one.at) + endedMs,
      { at: seen.at, since: endsAt, ...(server !== undefined && { server }), name: one.key },
      () =>
        `${one.key} should have ended at ${since(history, endsAt)}, and is there at ${since(history, seen.at)}`,
    )
  }
}

function judgeMembers(history: History, sent: Sent, findings: Findings): void {
  const { about, takenAt, rejected } = sent
  if (about.kind !== 'many' || about.command !== 'drain' || takenAt === undefined || rejected) return
  for (const machine of history.truth.machines) {
    if (membership(history, sent, machine) !== 'surely') continue
    findings.check(
      'many are each seen to',
      isSeenTo(history, sent, machine),
      { at: takenAt, since: sent.deliveredAt ?? takenAt, server: machine.server, name: machine.id },
      () =>
        `the command of ${since(history, sent.sentAt)} for ${JSON.stringify(about.whom)} left out ${machine.id}`,
    )
  }
}

/** It was asked for, or refused with reason, or something later was said of it before. */
function isSeenTo(history: History, sent: Sent, machine: Machine): boolean {
  const { choices } = history.truth
  const { about, takenAt = 0, order } = sent
  const isIts = (one: { readonly key: string; readonly order: string }) =>
    isOf(one, sent) && one.key.includes(machine.id)
  if (choices.waits.some(isIts) || choices.holds.some(isIts)) return true
  const isRefused = choices.refused.some((one) => one.order === order && one.server === machine.server)
  if (isRefused && (history.plan.floors.length > 0 || isTwiceListed(history))) return true
  const later = about.kind === 'many' ? saidOf(history, machine, about.by, 'instance') : []
  return later.some((one) => one.sent.order > order && (one.sent.deliveredAt ?? takenAt) < takenAt)
}

function isTwiceListed({ truth }: History): boolean {
  return truth.choices.shown.flat().some(({ entries }) => {
    const names = entries.map(({ set, uri }) => `${set} ${uri}`)
    return new Set(names).size < names.length
  })
}
