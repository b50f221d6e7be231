import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/**
 * In the order in which they are run: README gives hooks another timeout than the lab's settings have, which
 * doctor of the runbook would find.
 */
export const documents = ['docs/operations.md', 'docs/commands.md', 'README.md']

/** A block of commands of a document, as it is written there. */
export interface Block {
  /** file and line */
  readonly where: string
  readonly text: string
  /** why no test runs it, as the comment above it has it */
  readonly exempt?: string
}

const fenced = /^(?<indent> *)```sh\n(?<text>[\s\S]*?)^ *```/gm
const comment = /<!-- not run by a test: (?<why>[^\n]+) -->\s*$/

/** Every block of commands of a document, in order. */
export function blocksOf(document: string): Block[] {
  const markdown = readFileSync(join(root, document), 'utf8')
  return [...markdown.matchAll(fenced)].map((match) => {
    const before = markdown.slice(0, match.index)
    const { indent = '', text = '' } = match.groups ?? {}
    const why = comment.exec(before)?.groups?.['why']
    return {
      where: lineOf(document, markdown, match.index),
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      ...(why !== undefined && { exempt: why }),
    }
  })
}

/** Each command of a block, those of a pipe and of `$(…)` too. */
export function commandsIn({ text }: Pick<Block, 'text'>): string[] {
  return text
    .replaceAll(/\\\n/g, ' ')
    .split(/\n|&&|;|\||\$\(/)
    .map((command) => command.trim())
    .filter((command) => command !== '' && !command.startsWith('#'))
}

/** A command within a sentence, as it is written there. */
export interface Span {
  /** file and line */
  readonly where: string
  readonly text: string
  /** why no test runs it, as the comment after it has it */
  readonly exempt?: string
}

/** A program, or a function of the runbook, with words after it; or what that prints. */
const isCommand = /^(?:npx \S+|npm|node|aws|kdc|cdk|curl|ssh|kamcmd|source|logs|time) \S|^(?:\w+=)?\$\(/
const span = /`(?<text>[^`\n]+)`(?: <!-- not run by a test: (?<why>[^\n]+?) -->)?/g

/** Every command within a sentence of a document, in order. */
export function spansOf(document: string): Span[] {
  const markdown = readFileSync(join(root, document), 'utf8').replaceAll(/^ *```[\s\S]*?^ *```/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  )
  return [...markdown.matchAll(span)].flatMap(({ index, groups: { text = '', why } = {} }) =>
    isCommand.test(text)
      ? [{ where: lineOf(document, markdown, index), text, ...(why !== undefined && { exempt: why }) }]
      : [],
  )
}

function lineOf(document: string, markdown: string, index: number): string {
  return `${document}:${markdown.slice(0, index).split('\n').length}`
}

/** Blocks run one after the other in one shell: what one sets the next ones have. */
const runner = `
set -E
run() { trap 'echo "exit code $?: $BASH_COMMAND" >> "$BLOCK.failed"' ERR; eval "$(cat "$BLOCK.sh")"; trap - ERR; }
for BLOCK in "$@"; do run > "$BLOCK.out" 2>&1 < /dev/null; done
`

/** Blocks as files, and the script that runs them. @returns the words of a shell's command line */
export function commandLine(blocks: readonly string[], folder: string): string[] {
  const names = blocks.map((text, n) => {
    const name = join(folder, String(n))
    writeFileSync(`${name}.sh`, text)
    return name
  })
  return ['-c', runner, 'bash', ...names]
}

/** What became of the nth block; `failed` names each command that did. */
export function ranBlock(folder: string, n: number): { readonly out: string; readonly failed: string } {
  const file = (ending: string) => join(folder, `${n}.${ending}`)
  // Its shell may have ended before.
  if (!existsSync(file('out'))) return { out: '', failed: 'it was not run' }
  const out = readFileSync(file('out'), 'utf8')
  return { out, failed: existsSync(file('failed')) ? readFileSync(file('failed'), 'utf8') : '' }
}
