import type { DestinationUri } from '../../functions/control/destination.ts'
import { type EdgeRecord, type EntryRecord, noLife } from '../../functions/control/entry-record.ts'
import type { Hold } from '../../functions/control/hold.ts'
import { hold } from './samples.ts'
import {
  type Decided,
  entryOf,
  latestMs,
  type Random,
  randomFrom,
  type Sent,
  type Slot,
  uris,
  WalkEdge,
  type WalkOptions,
} from './settle-walk-edge.ts'

const instanceId = 'i-0bbbbbbbbbbbbbbbb'
export const placeable: readonly Hold[] = [
  hold({ id: 'plain', uris: [uris.plain, uris.spare] }),
  hold({ id: 'twice', source: 'alarm', uris: [uris.plain] }),
  hold({
    id: 'instance',
    subject: { kind: 'instance', instanceId, launchedAt: 1 },
    uris: [],
    addresses: ['10.0.1.77'],
    wholeInstance: true,
  }),
  hold({ id: 'twin', uris: [uris.twin] }),
]

/** What each hold keeps out, written down by hand. */
const covered: Readonly<Record<string, readonly DestinationUri[]>> = {
  plain: [uris.plain, uris.spare],
  twice: [uris.plain],
  instance: [uris.named],
  twin: [uris.twin],
}

/** The store, the clock and the network between settles and one edge. */
export class World {
  readonly random: Random
  readonly options: WalkOptions
  readonly edge: WalkEdge
  /** settles that were asked for and have not begun */
  asked = 0
  records = new Map<string, EdgeRecord>()
  holds: readonly Hold[] = []
  late: Sent[] = []
  counter = 0
  generation = 0
  owner = 0
  expired = false
  confirmed = 0
  now = 0
  calm = false
  /** the edge answers every write with an error and does nothing */
  refuses = false

  constructor(seed: number, options: WalkOptions) {
    this.random = randomFrom(seed)
    this.options = options
    this.edge = new WalkEdge(this.random, options)
  }

  get reliable(): boolean {
    return this.calm || this.options.quiet === true
  }

  pass(ms: number): void {
    this.now += ms
    const due = this.late.filter(({ dueBy }) => dueBy <= this.now)
    this.late = this.late.filter((sent) => !due.includes(sent))
    for (const sent of due) this.edge.execute(sent)
  }

  take(): number | undefined {
    if (this.owner !== 0 && !this.expired) return undefined
    this.generation += 1
    this.owner = this.generation
    this.expired = false
    if (!this.options.fence) this.pass(this.options.waitMs)
    return this.generation
  }

  isMine(generation: number): boolean {
    return this.owner === generation
  }

  want(change: Hold): void {
    const held = this.holds.includes(change)
    this.holds = held ? this.holds.filter((one) => one !== change) : [...this.holds, change]
    this.counter += 1
    this.asked += 1
  }

  /** `ok`: executed, or refused. `unanswered`: executed, and nobody knows; or executed later; or never. */
  request(writes: readonly Decided[], generation: number, boot: number): 'ok' | 'stale' | 'unanswered' {
    if (this.refuses && !this.reliable) return this.edge.admits(generation) ? 'ok' : 'stale'
    const luck = this.reliable ? 0 : this.random()
    if (luck < 0.7) return this.edge.execute({ writes, generation, boot })
    const bounded = !this.options.fence && this.options.waitMs > 0
    const dueBy = bounded ? this.now + latestMs : Number.POSITIVE_INFINITY
    if (luck < 0.78) this.edge.execute({ writes, generation, boot })
    else if (luck < 0.95) this.late.push({ writes, generation, boot, dueBy })
    return 'unanswered'
  }

  answers(generation: number): boolean {
    return this.edge.admits(generation) && (this.reliable || this.random() > 0.06)
  }

  recorded(slot: Slot): boolean {
    const found = this.records.get(`entry ${entryOf(slot)}`)
    return found?.kind === 'entry' && found.identity !== noLife
  }
}

/** What the edge shows and should not, and what is on record and should not be. */
export function wrongIn({ edge, holds, records, counter, confirmed, options }: World): string[] {
  const kept = new Set(holds.flatMap(({ id }) => covered[id] ?? []))
  // Nothing but this line's duid says whose its URI is.
  if (edge.slots[2]?.shown === 'absent') kept.delete(uris.named)
  const named = new Set(holds.flatMap(({ uris }) => uris))
  const states = edge.slots.flatMap((slot) => {
    if (slot.shown === 'absent') return []
    const held = kept.has(slot.uri) && !edge.isTwin(slot)
    if (held) return slot.shown.startsWith('D') ? [] : [`held, shows ${slot.shown}`]
    // The no-ping mark can't be written.
    const exact = [slot.own, slot.own.replace('N', 'X')].includes(slot.shown)
    const either = slot.own.startsWith('D') || !slot.shown.startsWith('D') || edge.isTwin(slot)
    const right = exact || (slot.undecidable && either)
    return right
      ? []
      : [`${kept.has(slot.uri) ? 'a twin' : 'not held'}, shows ${slot.shown}, would show ${slot.own}`]
  })
  const everyUri = Object.values(uris)
  const guards = everyUri.flatMap((uri) => {
    const listed = edge.slots.some((slot) => slot.uri === uri && slot.shown !== 'absent')
    const right = edge.hasGuard && kept.has(uri) && (listed || named.has(uri))
    return edge.guards.has(uri) === right ? [] : [`guard ${right ? 'missing' : 'left'}`]
  })
  if (confirmed !== counter) return [...states, ...guards, 'the last change is not confirmed']
  const left = [...records.values()].filter((record) => !isDue(record, kept, edge))
  return [...states, ...guards, ...(options.quiet ? [] : left.map(({ kind }) => `${kind} record left`))]
}

/** Of what is held, or of an entry that can't be told from its twin. */
function isDue(record: EdgeRecord, kept: ReadonlySet<DestinationUri>, edge: WalkEdge): boolean {
  return kept.has(record.uri) || (record.kind === 'entry' && isFrozen(record, edge))
}

function isFrozen(record: EntryRecord, edge: WalkEdge): boolean {
  const slot = edge.slotOf(record)
  return slot !== undefined && edge.isTwin(slot)
}
