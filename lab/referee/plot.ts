import type { CallRecord } from '../sip/call-record.ts'

/** Something that happened, for the plot: on one machine, or on an edge and so on all of the fleet. */
export interface Mark {
  readonly at: number
  readonly machine?: string
  readonly label: string
}

export interface PlotInput {
  readonly machines: readonly { readonly name: string; readonly address: string }[]
  readonly calls: readonly CallRecord[]
  readonly marks: readonly Mark[]
  /** Unix ms */
  readonly from: number
  readonly until: number
}

/** Active calls of one machine: `count` from `at` (Unix ms) on. */
export interface Step {
  readonly at: number
  readonly count: number
}

const layout = { left: 92, right: 12, top: 26, row: 54, curve: 34, width: 1000, foot: 26 } as const

/** How each event is drawn; shapes differ, so that nothing depends on colour. */
const glyphs: Readonly<Record<string, { shape: string; meaning: string }>> = {
  trigger: { shape: 'M-5,-9 L5,-9 L0,0 Z', meaning: 'trigger: scale-in, ALARM or drain' },
  confirmed: { shape: 'M0,-9 A4.5,4.5 0 1,1 -0.01,-9 Z', meaning: 'confirmed: every edge shows it disabled' },
  ended: {
    shape: 'M-4,-9 H4 V-1 H-4 Z',
    meaning: 'end: CONTINUE (the machine is killed), or OK or activate',
  },
  back: { shape: 'M-5,0 L5,0 L0,-9 Z', meaning: 'back: launched, then active on every edge' },
}

function glyphOf(label: string): string {
  if (label === 'confirmed') return 'confirmed'
  if (['launch', 'active'].includes(label)) return 'back'
  return ['scale-in', 'ALARM'].includes(label) || label.includes('drain') ? 'trigger' : 'ended'
}

/** Answered calls of a machine, and of those that had its address before, over time. */
export function activeCalls(calls: readonly CallRecord[], machine: string, until: number): Step[] {
  const changes = calls
    .filter(({ server }) => server === machine || server?.startsWith(`${machine}.`) === true)
    .flatMap(({ answeredAt, byeAtServerAt, endedAt }) =>
      answeredAt === undefined
        ? []
        : [
            { at: answeredAt, by: 1 },
            { at: byeAtServerAt ?? endedAt ?? until, by: -1 },
          ],
    )
    .sort((one, other) => one.at - other.at)
  let count = 0
  return changes.map(({ at, by }) => {
    count += by
    return { at, count }
  })
}

/** One row for each machine on a common time axis, with its events; events of an edge go through all rows. */
export function renderPlot(input: PlotInput): string {
  const { machines, from, until } = input
  const x = (at: number) =>
    round(
      layout.left + ((at - from) / Math.max(1, until - from)) * (layout.width - layout.left - layout.right),
    )
  const series = machines.map(({ name }) => activeCalls(input.calls, name, until))
  const highest = Math.max(1, ...series.flat().map(({ count }) => count))
  const height = layout.top + machines.length * layout.row + layout.foot
  const rows = machines.map((machine, index) => {
    const marks = input.marks.filter((mark) => mark.machine === machine.name)
    return row(machine, series[index] ?? [], marks, {
      x,
      highest,
      top: layout.top + index * layout.row,
      from,
      until,
    })
  })
  const everywhere = input.marks.filter(({ machine }) => machine === undefined)
  return [
    `<svg viewBox="0 0 ${layout.width} ${height}" role="img" aria-labelledby="plot-title">`,
    '<title id="plot-title">Active calls of each media server over time, with events</title>',
    ...axis(from, until, x, height),
    ...rows,
    ...everywhere.map(
      ({ at, label }) =>
        `<g class="edge-event"><line x1="${x(at)}" x2="${x(at)}" y1="${layout.top - 6}" y2="${height - layout.foot}"/><text x="${x(at) + 4}" y="${layout.top - 10}">${escaped(label)}</text></g>`,
    ),
    '</svg>',
  ].join('\n')
}

/** What the shapes mean. */
export function renderLegend(): string {
  const items = Object.entries(glyphs).map(
    ([name, { shape, meaning }]) =>
      `<li><svg viewBox="-8 -12 16 14" width="16" height="14" aria-hidden="true"><path class="mark ${name}" d="${shape}"/></svg> ${escaped(meaning)}</li>`,
  )
  return `<ul class="legend">${items.join('')}<li><span class="swatch"></span> held: no new calls may come</li></ul>`
}

interface RowFrame {
  readonly x: (at: number) => number
  readonly highest: number
  readonly top: number
  readonly from: number
  readonly until: number
}

function row(
  machine: { readonly name: string; readonly address: string },
  steps: readonly Step[],
  marks: readonly Mark[],
  { x, highest, top, from, until }: RowFrame,
): string {
  const base = top + layout.row - 6
  const y = (count: number) => round(base - (count / highest) * layout.curve)
  const path = steps.map(({ at, count }) => `H${x(at)} V${y(count)}`).join(' ')
  const begin = x(steps[0]?.at ?? until)
  const peak = Math.max(0, ...steps.map(({ count }) => count))
  return [
    `<g><text class="name" x="${layout.left - 10}" y="${base - 14}" text-anchor="end">${escaped(machine.name)}</text>`,
    `<text class="address" x="${layout.left - 10}" y="${base - 2}" text-anchor="end">${escaped(machine.address)}</text>`,
    ...heldSpans(marks, until).map(
      ([start, end]) =>
        `<rect class="held" x="${x(start)}" y="${base - layout.curve}" width="${round(x(end) - x(start))}" height="${layout.curve}"/>`,
    ),
    `<path class="curve" d="M${begin},${base} ${path} V${base} Z"/><line class="base" x1="${layout.left}" x2="${layout.width - layout.right}" y1="${base}" y2="${base}"/>`,
    `<text class="peak" x="${layout.left + 3}" y="${base - 3}">≤ ${peak}</text>`,
    ...marks.map(
      ({ at, label }) =>
        `<g class="mark ${glyphOf(label)}" transform="translate(${x(at)},${base - layout.curve - 1})"><title>${escaped(label)} at ${((at - from) / 1000).toFixed(1)} s</title><path d="${glyphs[glyphOf(label)]?.shape}"/><line y2="${layout.curve + 1}"/></g>`,
    ),
    '</g>',
  ].join('\n')
}

/** From each confirmation to the end of the drain. */
function heldSpans(marks: readonly Mark[], until: number): [number, number][] {
  return marks
    .filter(({ label }) => label === 'confirmed')
    .map(({ at }) => [at, marks.find((mark) => mark.at > at && glyphOf(mark.label) === 'ended')?.at ?? until])
}

function axis(from: number, until: number, x: (at: number) => number, height: number): string[] {
  const ticks = Array.from({ length: Math.floor((until - from) / 10_000) + 1 }, (_, index) => index * 10)
  return ticks.map(
    (second) =>
      `<g class="tick"><line x1="${x(from + second * 1000)}" x2="${x(from + second * 1000)}" y1="${layout.top}" y2="${height - layout.foot + 4}"/><text x="${x(from + second * 1000)}" y="${height - 6}" text-anchor="middle">${second} s</text></g>`,
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Text as HTML and SVG take it. */
export function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
