import { styleText } from 'node:util'
import stringWidth from 'string-width'
import type { Screen } from './desk.ts'
import { quotable } from './format.ts'

export type Style = 'red' | 'yellow' | 'green' | 'bold'
/** A cell's text, and how it is shown where there is colour. */
export interface Cell {
  readonly text: string
  readonly style?: Style
}

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string | Cell
  /** where there is too little room it is cut to so many characters, the one with the most to spare first */
  readonly least?: number
  /** shown where it fits; the last such column goes first */
  readonly optional?: true
}

const gap = 2

/** A cell that is safe to print, and how many columns of a terminal it takes. */
interface Measured extends Cell {
  readonly width: number
}
interface Shown<Row> extends Column<Row> {
  readonly cells: readonly Measured[]
  readonly width: number
}

/** Before an optional column goes, the others are cut down to so many characters. */
const comfortable = 24

/** @param columns of the terminal; undefined: nothing is cut or left out */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: room, hasColour, onLeftOut }: Screen,
): string {
  const all = columns.map((column) => measured(column, rows))
  const shown = room === undefined ? all : fitting(all, room)
  const natural = shown.map(({ width }) => width)
  const widths = room === undefined ? natural : narrowed(shown, room)
  const isMissed = all.some((column) => !shown.includes(column) && tells(column))
  if (isMissed || totalOf(widths) < totalOf(natural)) onLeftOut?.()
  const line = (parts: readonly Measured[]) =>
    parts
      .map((cell, index) => {
        const padded = pad(cell, widths[index] ?? 0, index === parts.length - 1)
        return cell.style && hasColour ? styleText(cell.style, padded, { validateStream: false }) : padded
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const titles = shown.map(({ title }) => measuredText({ text: title }))
  const lines = rows.map((_, index) => line(shown.flatMap(({ cells }) => cells[index] ?? [])))
  return [line(titles), ...lines].join('\n')
}

function measured<Row>(column: Column<Row>, rows: readonly Row[]): Shown<Row> {
  const cells = rows.map((row) => {
    const cell = column.cell(row)
    // What somebody wrote is no command to a terminal, and breaks no line.
    return measuredText(
      typeof cell === 'string' ? { text: quotable(cell) } : { ...cell, text: quotable(cell.text) },
    )
  })
  const width = cells.reduce((most, cell) => Math.max(most, cell.width), stringWidth(column.title))
  return { ...column, cells, width }
}

function measuredText(cell: Cell): Measured {
  return { ...cell, width: stringWidth(cell.text) }
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap * (widths.length - 1))
}

/** Whoever does not see a column of dashes misses nothing. */
function tells<Row>({ cells }: Shown<Row>): boolean {
  return cells.some(({ text }) => text !== '' && text !== '-')
}

function fitting<Row>(columns: readonly Shown<Row>[], room: number): readonly Shown<Row>[] {
  const enough = ({ least, width }: Shown<Row>) =>
    least === undefined ? width : Math.min(width, Math.max(least, comfortable))
  let shown = columns
  while (totalOf(shown.map(enough)) > room) {
    const last = shown.findLast(({ optional }) => optional)
    if (!last) break
    shown = shown.filter((column) => column !== last)
  }
  return shown
}

function narrowed<Row>(columns: readonly Shown<Row>[], room: number): readonly number[] {
  const widths = columns.map(({ width }) => width)
  while (totalOf(widths) > room) {
    const spare = widths.map((width, index) => width - (columns[index]?.least ?? width))
    const most = Math.max(...spare)
    if (most <= 0) break
    const longest = spare.indexOf(most)
    widths[longest] = (widths[longest] ?? 0) - 1
  }
  return widths
}

function pad({ text, width: own }: Measured, width: number, isLast: boolean): string {
  if (own <= width) return isLast ? text : text + ' '.repeat(width - own)
  const cut = cutTo(text, width)
  return isLast ? cut : cut + ' '.repeat(Math.max(0, width - stringWidth(cut)))
}

/** A person counts an emoji of several code points as one character, and a terminal does. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** @returns the beginning of a text and `…`, within so many columns; no character of it is halved */
function cutTo(text: string, columns: number): string {
  let kept = ''
  let left = columns - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= stringWidth(segment)
    if (left < 0) break
    kept += segment
  }
  return `${kept}…`
}
