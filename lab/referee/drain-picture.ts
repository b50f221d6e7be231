import { type CallRecord, callsUp } from '../sip/call-record.ts'
import type { FlagChange } from '../sip/flag-watch.ts'
import type { DrainEvidence } from './evidence.ts'
import { disabledEverywhere, isDisabled, shownAt } from './flag-history.ts'
import { activeCalls, escaped } from './plot.ts'

/** What the lab saw around one drain of a lifecycle hook. */
export interface PictureInput {
  readonly drain: DrainEvidence
  readonly calls: readonly CallRecord[]
  /** of its destination */
  readonly flags: readonly FlagChange[]
  readonly kamailioVersions: readonly string[]
}

const layout = { width: 880, left: 150, right: 24, plot: 142, plotHeight: 112, row: 30, bar: 20 } as const
const before = 6000
const after = 1500

/** On a ground of its own: whoever shows it may have a light or a dark one. */
const style = `
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
.card { fill: #fff; stroke: #d0d7de } .title { font-size: 17px; font-weight: 600 } .soft { fill: #59636e } .time { font-weight: 600 }
.grid { stroke: #e4e8ec } .event { stroke: #1f2328; stroke-dasharray: 3 3 } .none { fill: #f3f5f7 }
.edge0 { fill: #2f6db3 } .edge1 { fill: #e39a3b } .edge2 { fill: #7b3fb0 } .edge3 { fill: #3b8f8f }
.came { stroke: #b3261e; stroke-width: 2 } .others { stroke: #4a7a5c } .beat { fill: #b3261e }
.open { fill: #bfe3cd } .held { fill: #f6d58f } .gone { fill: #d0d7de }
`

/** The times that all of it is drawn by. */
interface Frame {
  readonly from: number
  readonly until: number
  readonly x: (at: number) => number
}

/** @returns the drain that took longest of those that a lifecycle hook began and our CONTINUE ended */
export function longestDrain(drains: readonly DrainEvidence[]): DrainEvidence | undefined {
  const took = ({ action, triggeredAt }: DrainEvidence) => (action?.endedAt ?? triggeredAt) - triggeredAt
  return drains
    .filter(({ action, goneAt }) => action?.result === 'CONTINUE' && goneAt !== undefined)
    .toSorted((one, other) => took(other) - took(one))[0]
}

/** One drain as a picture: its calls, the new ones, what each edge showed, and Auto Scaling, over time. */
export function drawDrain(input: PictureInput): string {
  const { drain, calls } = input
  const from = drain.triggeredAt - before
  const until = (drain.goneAt ?? drain.watchedUntil) + after
  const scale = (layout.width - layout.left - layout.right) / (until - from)
  const frame: Frame = { from, until, x: (at) => round(layout.left + (at - from) * scale) }
  const disabledAt = disabledEverywhere(input.flags, drain.edges, drain.triggeredAt)
  const rows = rowsOf(input, frame)
  const first = layout.plot + layout.plotHeight + 16
  const axis = first + rows.length * layout.row + 4
  const lastEnd = Math.max(
    0,
    ...calls.flatMap(({ server, byeAtServerAt = 0 }) => (server === drain.server ? byeAtServerAt : [])),
  )
  const endedAt = drain.action?.endedAt
  const events = [
    { at: drain.triggeredAt, text: 'scale-in', line: 3, anchor: 'end' },
    { at: disabledAt, text: 'disabled on every edge', line: 3, anchor: 'start' },
    { at: lastEnd, text: 'its last call ends', line: 2, anchor: 'end' },
    { at: endedAt, text: `${drain.action?.result}: it is terminated`, line: 1, anchor: 'end' },
  ] as const
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${axis + 40}" role="img" aria-labelledby="title words">`,
    ...heading(input, disabledAt, axis + 40),
    ...axisOf(frame, drain.triggeredAt, axis),
    ...events.flatMap(({ at, ...event }) =>
      at === undefined ? [] : eventLine(frame, { ...event, at, since: drain.triggeredAt, until: axis }),
    ),
    ...callsPlot(input, frame),
    ...waitFrom(frame, lastEnd, endedAt ?? lastEnd),
    ...rows.map(
      ({ name, marks }, index) =>
        `<g transform="translate(0,${first + index * layout.row})">${label(name, 14)}${marks.join('')}</g>`,
    ),
    '</svg>',
    '',
  ].join('\n')
}

function heading(
  { drain, calls, kamailioVersions }: PictureInput,
  disabledAt: number | undefined,
  height: number,
): string[] {
  const own = calls.filter(({ server }) => server === drain.server)
  const cut = own.filter(({ outcome }) => outcome === 'cut').length
  const up = callsUp(calls, drain.server, drain.triggeredAt)
  const when = new Date(drain.triggeredAt).toISOString().slice(0, 10)
  const title = `A media server is taken away with ${up} calls up: ${numberOf(cut)} of them cut`
  const words = `${afterwards(drain, calls, disabledAt)} Kamailio ${kamailioVersions.join(', ')} under real calls, ${when}.`
  return [
    `<title id="title">${escaped(title)}</title><desc id="words">${escaped(words)}</desc><style>${style}</style>`,
    `<rect class="card" x=".5" y=".5" width="${layout.width - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="20" y="32">${escaped(title)}</text>`,
    `<text class="soft" x="20" y="52">${escaped(words)}</text>`,
  ]
}

function afterwards(
  { server, action, watchedUntil }: DrainEvidence,
  calls: readonly CallRecord[],
  disabledAt: number | undefined,
): string {
  if (disabledAt === undefined) return 'It was never disabled everywhere.'
  const end = action?.endedAt ?? watchedUntil
  const [came = 0, others = 0] = [true, false].map(
    (isOwn) => invitesOf(calls, server, isOwn).filter((at) => at > disabledAt && at <= end).length,
  )
  return `Once it was disabled on every edge, ${numberOf(came)} of ${came + others} new calls came to it.`
}

function numberOf(count: number): string {
  return count === 0 ? 'none' : `${count}`
}

/** What it waits for once its last call is over. */
function waitFrom({ x }: Frame, lastEnd: number, until: number): string[] {
  const words = ['waits until every edge', 'has counted zero twice']
  if (x(until) - x(lastEnd) < 150) return []
  return words.map(
    (text, line) =>
      `<text class="soft" x="${x(lastEnd) + 10}" y="${layout.plot + 50 + line * 16}">${text}</text>`,
  )
}

/** When each media server's INVITE came: to this one, or to the others. */
function invitesOf(calls: readonly CallRecord[], server: string, isOwn: boolean): number[] {
  return calls
    .flatMap(({ invites }) => invites)
    .flatMap((invite) => ((invite.server === server) === isOwn ? invite.at : []))
}

interface EventLine {
  readonly at: number
  readonly since: number
  readonly text: string
  /** of three, so that no two texts meet */
  readonly line: 1 | 2 | 3
  readonly anchor: 'start' | 'end'
  readonly until: number
}

function eventLine({ x }: Frame, { at, since, text, line, anchor, until }: EventLine): string[] {
  const top = layout.plot - 74 + line * 20
  const beside = x(at) + (anchor === 'end' ? -6 : 6)
  return [
    `<line class="event" x1="${x(at)}" x2="${x(at)}" y1="${top - 8}" y2="${until}"/>`,
    `<text x="${beside}" y="${top + 2}" text-anchor="${anchor}"><tspan class="time">${((at - since) / 1000).toFixed(1)} s</tspan> ${escaped(text)}</text>`,
  ]
}

function axisOf({ from, until, x }: Frame, since: number, y: number): string[] {
  const first = Math.ceil((from - since) / 5000)
  const ticks = Array.from(
    { length: Math.floor((until - since) / 5000) - first + 1 },
    (_, n) => (first + n) * 5,
  )
  return [
    ...ticks.map(
      (second) =>
        `<line class="grid" x1="${x(since + second * 1000)}" x2="${x(since + second * 1000)}" y1="${layout.plot}" y2="${y}"/><text class="soft" x="${x(since + second * 1000)}" y="${y + 16}" text-anchor="middle">${second} s</text>`,
    ),
    label('after the scale-in', y + 16),
  ]
}

/** Each area is of its edge and of those before it, so that what is seen of it is its own. */
function callsPlot({ drain, calls }: PictureInput, { from, until, x }: Frame): string[] {
  const own = calls.filter(({ server }) => server === drain.server)
  const series = drain.edges.map((edge, index) => ({
    edge,
    index,
    steps: activeCalls(
      own.filter((call) => drain.edges.slice(0, index + 1).includes(call.edge ?? '')),
      drain.server,
      until,
    ),
  }))
  const highest = Math.max(1, ...(series.at(-1)?.steps ?? []).map(({ count }) => count))
  const base = layout.plot + layout.plotHeight
  const y = (count: number) => round(base - (count / highest) * (layout.plotHeight - 14))
  const areas = series.toReversed().map(({ index, steps }) => {
    const shown = steps.filter(({ at }) => at > from && at < until)
    const earlier = steps.findLast(({ at }) => at <= from)?.count ?? 0
    const path = shown.map(({ at, count }) => `H${x(at)}V${y(count)}`).join('')
    return `<path class="edge${index % 4}" d="M${x(from)},${base}V${y(earlier)}${path}H${x(until)}V${base}Z"/>`
  })
  const keys = series.map(
    ({ edge, index }) =>
      `<rect class="edge${index % 4}" x="20" y="${base - 68 + index * 18}" width="10" height="10"/><text x="36" y="${base - 59 + index * 18}">through ${escaped(edge)}</text>`,
  )
  return [
    ...areas,
    ...keys,
    label('calls on it', layout.plot + 18),
    `<text class="soft" x="${layout.left - 8}" y="${base}" text-anchor="end">0</text>`,
    `<text class="soft" x="${layout.left - 8}" y="${y(highest) + 10}" text-anchor="end">${highest}</text>`,
  ]
}

/** Each row with what is drawn in it, from its own y on. */
function rowsOf(input: PictureInput, frame: Frame): { readonly name: string; readonly marks: string[] }[] {
  const { drain, calls, flags } = input
  const { from, until, x } = frame
  const ticks = (look: string, times: readonly number[]) => {
    const path = times.filter((at) => at > from && at < until).map((at) => `M${x(at)},0v${layout.bar}`)
    return [
      bar(frame, { from, until, text: '', look: 'none' }),
      `<path class="${look}" d="${path.join('')}"/>`,
    ]
  }
  const { triggeredAt, action } = drain
  const endedAt = action?.endedAt ?? until
  const beats = (action?.heartbeats ?? []).map(
    (at) => `<circle class="beat" cx="${x(at)}" cy="${layout.bar / 2}" r="5"/>`,
  )
  return [
    { name: 'new calls to it', marks: ticks('came', invitesOf(calls, drain.server, true)) },
    { name: 'new calls to others', marks: ticks('others', invitesOf(calls, drain.server, false)) },
    ...drain.edges.map((edge) => ({ name: `${edge} shows it`, marks: shownBy(edge, flags, frame) })),
    {
      name: 'Auto Scaling',
      marks: [
        bar(frame, { from, until: triggeredAt, text: 'InService', look: 'open' }),
        bar(frame, { from: triggeredAt, until: endedAt, text: 'Terminating:Wait', look: 'held' }),
        bar(frame, { from: endedAt, until, text: 'gone', look: 'gone' }),
      ],
    },
    { name: 'our heartbeats', marks: [bar(frame, { from, until, text: '', look: 'none' }), ...beats] },
  ]
}

/** What an edge showed, from each change to the next. */
function shownBy(edge: string, flags: readonly FlagChange[], frame: Frame): string[] {
  const changes = flags.filter((change) => change.edge === edge && change.at > frame.from)
  const times = [frame.from, ...changes.map(({ at }) => at)].filter((at) => at < frame.until)
  return times.map((at, index) => {
    const shown = shownAt(flags, edge, at)
    const texts = [...new Set(shown?.values() ?? [])].join(' ')
    const isHeld = isDisabled(shown)
    const word = isHeld ? 'disabled' : 'active'
    return bar(frame, {
      from: at,
      until: times[index + 1] ?? frame.until,
      text: texts === '' ? 'not read' : `${texts}: ${word}`,
      look: isHeld ? 'held' : 'open',
    })
  })
}

interface Bar {
  readonly from: number
  readonly until: number
  readonly text: string
  readonly look: 'open' | 'held' | 'gone' | 'none'
}

/** A text that is wider than its bar would be read as the next one's. */
function bar({ x }: Frame, { from, until, text, look }: Bar): string {
  const width = round(x(until) - x(from))
  const fits = text !== '' && text.length * 7 + 12 <= width
  const words = fits ? `<text x="${x(from) + 6}" y="14">${escaped(text)}</text>` : ''
  return `<rect class="${look}" x="${x(from)}" width="${width}" height="${layout.bar}"/>${words}`
}

function label(text: string, y: number): string {
  return `<text x="20" y="${y}">${escaped(text)}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
