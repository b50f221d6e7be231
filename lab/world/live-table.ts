/** One server in the live table. */
export interface TableRow {
  readonly name: string
  /** address:port */
  readonly address: string
  readonly calls: number
  /** edge → what it shows, e.g. `AP` or `DX DX`; `?` while it can't be read */
  readonly flags: readonly string[]
  /** the instance's id */
  readonly id: string
  /** its lifecycle state by Auto Scaling */
  readonly instance: string
  /** what our functions published last about it */
  readonly workflow: string
}

export interface TableOptions {
  /** columns of the terminal */
  readonly width: number
  readonly colour: boolean
  readonly title: string
  readonly edges: readonly string[]
}

const paint = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const

interface Column {
  readonly title: string
  readonly width: number
  readonly text: (row: TableRow) => string
  readonly tone?: (row: TableRow) => keyof typeof paint | undefined
  readonly right?: boolean
  /** cut between two words */
  readonly words?: boolean
}

/** Renders the table; no line is wider than `width`. */
export function renderTable(rows: readonly TableRow[], options: TableOptions): string[] {
  const columns = columnsFor(options)
  const heading = columns.map((column) => padded(column.title, column)).join(' ')
  return [
    toned(cut(options.title, options.width), 'bold', options.colour),
    toned(cut(heading, options.width), 'dim', options.colour),
    ...rows.map((row) =>
      columns
        .map((column) => toned(padded(column.text(row), column), column.tone?.(row), options.colour))
        .join(' ')
        .trimEnd(),
    ),
  ]
}

function columnsFor({ width, edges }: TableOptions): Column[] {
  const wide = width >= 120
  const bar = wide ? 24 : 6
  const columns: Column[] = [
    { title: 'server', width: 9, text: ({ name }) => name },
    ...(wide ? [{ title: 'address', width: 17, text: ({ address }: TableRow) => address }] : []),
    { title: 'calls', width: 5, right: true, text: ({ calls }) => `${calls}` },
    { title: '', width: bar, text: ({ calls }) => '█'.repeat(Math.min(bar, calls)) },
    ...edges.map((edge, index) => ({
      title: edge,
      width: 7,
      text: ({ flags }: TableRow) => flags[index] ?? '?',
      tone: ({ flags }: TableRow) => toneOf(flags[index] ?? '?'),
    })),
    ...(width >= 140 ? [{ title: 'instance', width: 19, text: ({ id }: TableRow) => id }] : []),
    { title: 'state', width: wide ? 20 : 16, text: ({ instance }) => instance, tone: instanceTone },
  ]
  const used = columns.reduce((sum, column) => sum + column.width + 1, 0)
  return [
    ...columns,
    { title: 'workflow', width: Math.max(8, width - used), text: ({ workflow }) => workflow, words: true },
  ]
}

function toneOf(flags: string): keyof typeof paint {
  if (flags.startsWith('A')) return 'green'
  return flags.startsWith('D') ? 'yellow' : 'red'
}

function instanceTone({ instance }: TableRow): keyof typeof paint | undefined {
  return instance === 'InService' ? undefined : 'yellow'
}

function padded(text: string, { width, right, words }: Column): string {
  const short = words ? cutAtWord(text, width) : cut(text, width)
  return right ? short.padStart(width) : short.padEnd(width)
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Ends between two words, so that it fits. */
export function cutAtWord(text: string, width: number): string {
  const short = cut(text, width)
  const space = short.lastIndexOf(' ')
  return short === text || space < 1 ? short : `${short.slice(0, space).replace(/,$/, '')} …`
}

function toned(text: string, tone: keyof typeof paint | undefined, colour: boolean): string {
  return colour && tone !== undefined ? `\u001b[${paint[tone]}m${text}\u001b[0m` : text
}
