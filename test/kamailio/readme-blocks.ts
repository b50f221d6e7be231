/** A fenced block of a Markdown file. */
export interface Block {
  /** `sh`, `cfg`, … */
  readonly language: string
  /** What follows the language, such as the place where a cfg block belongs. */
  readonly name: string
  readonly text: string
  /** Of its first line in the file, from 1. */
  readonly line: number
}

/** Commands to run, with the output that the document shows for them. */
export interface Commands extends Block {
  readonly output?: string
}

/** The fenced blocks, in their order; the `text` after an `sh` is its output and no block of its own. */
export function blocksOf(markdown: string): readonly Commands[] {
  const blocks: Commands[] = []
  let open: { language: string; name: string; line: number; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(\w*) ?(.*)$/.exec(line)
    if (open === undefined) {
      if (fence) open = { language: fence[1] ?? '', name: fence[2] ?? '', line: index + 2, lines: [] }
    } else if (fence === null) open.lines.push(line)
    else {
      const { lines, ...block } = open
      add(blocks, { ...block, text: lines.join('\n') })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`the block of line ${open.line} is not closed`)
  return blocks
}

function add(blocks: Commands[], block: Block): void {
  if (block.language !== 'text') {
    blocks.push(block)
    return
  }
  const commands = blocks.pop()
  if (commands?.language !== 'sh') throw new Error(`line ${block.line}: output that follows no commands`)
  blocks.push({ ...commands, output: block.text })
}

/**
 * Whether output is as shown. `…` stands for anything in its line; alone in a line it stands for any lines.
 */
export function isAsShown(shown: string, output: string): boolean {
  const lines = shown.split('\n').map((line) => (line === '…' ? '(?:[^\n]*\n)*?' : `${inLine(line)}\n`))
  return new RegExp(`^${lines.join('')}$`).test(
    output.endsWith('\n') || output === '' ? output : `${output}\n`,
  )
}

function inLine(line: string): string {
  return line
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^\n]*')
}

/** The cells of each row of the table whose head begins with this cell. */
export function tableOf(markdown: string, head: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`))
  if (start < 0) throw new Error(`no table begins with ${head}`)
  const rows = lines.slice(start + 2)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(0, end).map((row) => row.slice(2, -2).split(' | '))
}
