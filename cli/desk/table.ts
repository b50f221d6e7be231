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
  /** where there is too little room it is cut down to so many characters, the longest column first */
  readonly least?: number
  /** shown where it fits; the last such column goes first */
  readonly optional?: true
}

const gap = 2
/** What somebody wrote is no command to a terminal, and breaks no line. */
const cellOf = (value: string | Cell): Cell => quotable(typeof value === 'string' ? { text: value } : value)

/** Before an optional column goes, the others are cut down to so many characters. */
const comfortable = 24

/** @param columns of the terminal; undefined: nothing is cut or left out */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: room, hasColour, onLeftOut }: Screen,
): string {
  const shown = room === undefined ? columns : fitting(columns, rows, room)
  const cells = rows.map((row) => shown.map(({ cell }) => cellOf(cell(row))))
  const natural = widthsOf(shown, rows)
  const widths = room === undefined ? natural : narrowed(shown, natural, room)
  if (shown.length < columns.length || totalOf(widths) < totalOf(natural)) onLeftOut?.()
  const line = (parts: readonly Cell[]) =>
    parts
      .map(({ text, style }, index) => {
        const padded = pad(text, widths[index] ?? 0, index === parts.length - 1)
        return style && hasColour ? styleText(style, padded, { validateStream: false }) : padded
      })
      .join(' '.repeat(gap))
      .trimEnd()
  return [line(shown.map(({ title }) => ({ text: title }))), ...cells.map(line)].join('\n')
}

function widthsOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number[] {
  return columns.map(({ title, cell }) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(cellOf(cell(row)).text))),
  )
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap * (widths.length - 1))
}

function fitting<Row>(columns: readonly Column<Row>[], rows: readonly Row[], room: number) {
  let shown = [...columns]
  while (totalOf(enough(shown, rows)) > room) {
    const last = shown.findLast(({ optional }) => optional)
    if (!last) break
    shown = shown.filter((column) => column !== last)
  }
  return shown
}

function enough<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number[] {
  return widthsOf(columns, rows).map((width, index) => {
    const least = columns[index]?.least
    return least === undefined ? width : Math.min(width, Math.max(least, comfortable))
  })
}

function narrowed<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  room: number,
): readonly number[] {
  const widths = [...natural]
  while (totalOf(widths) > room) {
    const spare = widths.map((width, index) => width - (columns[index]?.least ?? width))
    const most = Math.max(...spare)
    if (most <= 0) break
    const longest = spare.indexOf(most)
    widths[longest] = (widths[longest] ?? 0) - 1
  }
  return widths
}

function pad(text: string, width: number, isLast: boolean): string {
  const cut = cutTo(text, width)
  return isLast ? cut : `${cut}${' '.repeat(width - stringWidth(cut))}`
}

/** A person counts an emoji of several code points as one character, and a terminal does. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** @returns the text, or its beginning and `…`, within so many columns; no character of it is halved */
function cutTo(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let kept = ''
  let left = columns - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= stringWidth(segment)
    if (left < 0) break
    kept += segment
  }
  return `${kept}…`
}
