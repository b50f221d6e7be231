import stringWidth from 'string-width'
import { stringify } from 'yaml'
import type { Desk, Screen } from './desk.ts'

export const formats = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const
export type Format = (typeof formats)[number]

/** What is printed, as data and as people read it. */
export interface Shown {
  readonly data: unknown
  /** of `jsonl`, one a line; left out: the data is one */
  readonly lines?: readonly unknown[]
  readonly text: (screen: Screen) => string
}

/**
 * @param wasNoted that columns do not fit, or not whole, by a picture before this one
 * @returns whether that is noted by now
 */
export function print(desk: Desk, shown: Shown, format: Format, wasNoted = false): boolean {
  let isLeftOut = false
  const onLeftOut = () => {
    isLeftOut = true
  }
  desk.out(formatted(shown, format, { ...desk.screen, onLeftOut }))
  if (isLeftOut && !wasNoted) desk.err('some columns do not fit: -o wide shows them\n')
  return wasNoted || isLeftOut
}

/** Of the second and later lines of one. */
const indent = '  '
const beginsCommand = String.fromCodePoint(27)
/** Commands to a terminal, and what ends a line, or turns its order round so that it reads otherwise. */
const unruly = String.raw`[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]`
const inData = new RegExp(unruly, 'gu')
const inPrint = new RegExp(String.raw`${unruly}(\[(?:3\d|90)m)?`, 'gu')

/**
 * What is printed to people: what somebody wrote is no command to a terminal. Lines end, and the colours of
 * `styleText` stay.
 */
export function harmless(text: string): string {
  return text.replaceAll(inPrint, (found, colour = '') => {
    const isOurs = found.startsWith('\n') || (colour !== '' && found.startsWith(beginsCommand))
    return isOurs ? found : `·${colour}`
  })
}

/**
 * Data as a text quotes it: what somebody wrote ends no line and has no colour, so that nothing of it reads
 * as a line of ours. Members that are undefined are left out.
 */
export function quotable<T>(data: T): T {
  return JSON.parse(JSON.stringify(data), (_key, value) =>
    typeof value === 'string' ? value.replaceAll(inData, '·') : value,
  )
}

/** @param columns no word is broken over two lines of so many characters; undefined: no terminal */
export function wrapped(line: string, columns: number | undefined): string {
  return inLines(wordsOf(line), columns)
}

const command = /(?<=\s)(kdc .*?(?:[.;,](?=\s)|$))/

/** An error may name a command, up to where a clause ends: that is to be pasted, and stays one line. */
export function wrappedError(line: string, columns: number | undefined): string {
  const parts = line.split(command).map((part, index) => (index % 2 === 1 ? [part] : wordsOf(part.trim())))
  return inLines(
    parts.flat().filter((word) => word !== ''),
    columns,
  )
}

/** Of several spaces between two words all but one are the end of the first. */
function wordsOf(line: string): string[] {
  return line.split(/ (?=\S)/)
}

function inLines(words: readonly string[], columns: number | undefined): string {
  if (columns === undefined) return words.join(' ')
  const lines = ['']
  for (const word of words) {
    const last = lines.at(-1) ?? ''
    const longer = last === '' ? word : `${last} ${word}`
    if (stringWidth(longer.trimEnd()) <= columns) lines.splice(-1, 1, longer)
    else lines.push(`${indent}${word}`)
  }
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** Narrower lines are harder to read than what a terminal breaks. */
const leastColumns = 40

/** @returns how wide lines are of which the first one begins with a label */
export function columnsBeside(label: string, columns: number | undefined): number | undefined {
  return columns === undefined ? undefined : Math.max(leastColumns, columns - stringWidth(label))
}

export function formatted({ data, lines, text }: Shown, format: Format, screen: Screen): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(data, undefined, 2)}\n`
    case 'jsonl':
      return (lines ?? [data]).map((one) => `${JSON.stringify(one)}\n`).join('')
    case 'yaml':
      // Several answers are several documents.
      return `---\n${stringify(JSON.parse(JSON.stringify(data)))}`
    case 'wide':
      return `${harmless(text({ ...screen, columns: undefined }))}\n`
    case 'table':
      return `${harmless(text(screen))}\n`
    default:
      return format satisfies never
  }
}
