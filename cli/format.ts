import { stringify } from 'yaml'
import type { Screen } from './desk.ts'

export const formats = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const
export type Format = (typeof formats)[number]

/** What is printed, as data and as people read it. */
export interface Shown {
  readonly data: unknown
  /** of `jsonl`, one a line; left out: the data is one */
  readonly lines?: readonly unknown[]
  readonly text: (screen: Screen) => string
}

export function formatted({ data, lines, text }: Shown, format: Format, screen: Screen): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(data, undefined, 2)}\n`
    case 'jsonl':
      return (lines ?? [data]).map((one) => `${JSON.stringify(one)}\n`).join('')
    case 'yaml':
      return stringify(JSON.parse(JSON.stringify(data)))
    case 'wide':
      return `${text({ ...screen, columns: undefined })}\n`
    case 'table':
      return `${text(screen)}\n`
    default:
      return format satisfies never
  }
}
