import type { History } from './observed.ts'
import { readableEdges } from './room.ts'
import type { Asked, Machine, Sent } from './truth.ts'

/** Drains and activates by operators of one machine, also those that are for many. */

/** Whether a command was for a machine: for many it is whoever was there as it was done. */
export type Membership = 'surely' | 'maybe' | 'no'

/** What an operator said of a machine, in the order in which it was sent. */
export interface Said extends Asked {
  readonly sent: Sent
  readonly is: Exclude<Membership, 'no'>
}

/** So long after it came or went, or was listed, nobody can say whether it was there. */
const unsureMs = 300_000

export const operators = ['alice', 'bob'] as const

/**
 * One operator's hold of a machine as a whole, or of a destination of it: of each what was said. For many the
 * machine is held, and both are lifted.
 */
export function saidOf(
  history: History,
  machine: Machine,
  by: Asked['by'],
  form: 'instance' | 'destination',
): Said[] {
  const named = history.plan.byDestination.includes(machine.server) ? 'destination' : 'instance'
  return history.truth.sent.flatMap((sent): Said[] => {
    const { about } = sent
    if (about.kind === 'operator') {
      const isMeant = about.machine === machine && about.by === by && !about.isUnknown && named === form
      return isMeant ? [{ ...about, sent, is: 'surely' }] : []
    }
    if (about.kind !== 'many' || about.by !== by) return []
    if (about.command === 'drain' && form === 'destination') return []
    const is = membership(history, sent, machine)
    return is === 'no' ? [] : [{ ...about, sent, is }]
  })
}

export function membership(history: History, sent: Sent, machine: Machine): Membership {
  const { about, deliveredAt, takenAt = history.endedAt } = sent
  if (about.kind !== 'many' || deliveredAt === undefined) return 'no'
  const { launchedAt, shownAt, goneAt = Number.POSITIVE_INFINITY, server } = machine
  const isSurelyThere = shownAt <= deliveredAt - unsureMs && goneAt > takenAt + unsureMs
  const isMaybeThere = launchedAt <= takenAt && goneAt >= deliveredAt - unsureMs
  const { whom } = about
  if ('set' in whom) {
    const listed = listedIn(history, whom.set, server, deliveredAt, takenAt)
    // A URI that no machine has is held by itself, whoever has its address afterwards.
    if (listed !== 'surely') return listed
    return isSurelyThere ? 'surely' : 'maybe'
  }
  if ('zone' in whom && whom.zone !== history.plan.zones[server]) return 'no'
  if (isSurelyThere) return 'surely'
  return isMaybeThere ? 'maybe' : 'no'
}

function listedIn({ truth }: History, set: number, server: number, from: number, to: number): Membership {
  const { choices } = truth
  const views = choices.shown.map((all) =>
    all.filter((shown) => shown.until >= from - unsureMs && shown.from <= to),
  )
  const has = ({ entries }: (typeof choices.shown)[number][number]) =>
    entries.some((entry) => entry.set === set && entry.server === server)
  // What an edge alone lists that can't be read is not there, and the answer names that edge.
  const isSure = readableEdges({ choices }, from - unsureMs, to).some((edge) => {
    const own = views[edge] ?? []
    return own.length > 0 && own.every(has)
  })
  if (isSure) return 'surely'
  return views.flat().some(has) ? 'maybe' : 'no'
}

/** Whether what the product has written is of this message: its order ends with the message's own. */
export function isOf({ order }: { readonly order: string }, sent: Pick<Sent, 'order'>): boolean {
  return order.endsWith(`#${String(sent.order).padStart(20, '0')}`)
}

/** What an operator asked for by which something was written. */
export function askedBy({ truth }: History, written: { readonly order: string }): Asked | undefined {
  const sent = truth.sent.find((one) => isOf(written, one))
  return sent && (sent.about.kind === 'operator' || sent.about.kind === 'many') ? sent.about : undefined
}
