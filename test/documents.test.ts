import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Verdict } from '../functions/control/verdict.ts'
import { blocksOf, commandsIn, documents as ranOnTheLab, spansOf } from './e2e/documented.ts'
import { needlessWays, onTheEdge, onTheLab } from './e2e/documented-spans.ts'
import { documentedTools } from './e2e/documented-tools.ts'
import { some } from './present.ts'
import { rooms } from './rooms.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(resolve(root, file), 'utf8')
const files = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .stdout.split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))
const documents = files.filter((path) => path.endsWith('.md'))
const manifest = z
  .object({
    version: z.string(),
    license: z.string(),
    engines: z.object({ node: z.string() }),
    scripts: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')))

const withoutBlocks = (markdown: string) => markdown.replaceAll(/^ *```[\s\S]*?^ *```/gm, '')

/** What GitHub makes of a heading. */
function anchorsOf(file: string): string[] {
  return [...withoutBlocks(read(file)).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** @returns what is wrong with the links of a document */
function brokenLinks(document: string): string[] {
  const links = withoutBlocks(read(document)).matchAll(/\]\(([^)\s]+)\)/g)
  return [...links].flatMap(([, link = '']) => {
    if (/^https?:/.test(link)) return []
    const [path = '', anchor] = link.split('#')
    const file = path === '' ? document : join(dirname(document), path)
    if (!existsSync(join(root, file))) return [`${link}: no such file`]
    return anchor === undefined || anchorsOf(file).includes(anchor) ? [] : [`${link}: no such heading`]
  })
}

/** The commands of `sh` blocks and of code within a line, each on a line of its own. */
function commandsOf(document: string): string[] {
  const markdown = read(document)
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
  const inLine = [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)
  return [...blocks, ...inLine].flatMap((text) => text.split(/\n|&&/).map((line) => line.trim()))
}

const helps = new Map<string, string>()
/** @param program as a script of package.json runs it, such as `node lab/demo.ts` */
function helpOf(program: string): string {
  const known = helps.get(program)
  if (known !== undefined) return known
  const args = program.split(' ').slice(1)
  const { stdout } = spawnSync(process.execPath, [...args, '--help'], { cwd: root, encoding: 'utf8' })
  helps.set(program, stdout)
  return stdout
}

const vitestProjects = [...read('vitest.config.ts').matchAll(/name: '(\w+)'/g)].map(([, name]) => name)

/** @returns what a command of ours names that is not there */
function missingIn(command: string): string[] {
  const [, name, options = ''] = /^npm (?:run |(?=test\b))([\w:-]+)(.*)$/.exec(command) ?? []
  if (name !== undefined) {
    const script = manifest.scripts[name]
    if (script === undefined) return [`script ${name}`]
    const asked = [...options.matchAll(/ (--\w[\w-]*)/g)].map(([, option = '']) => option)
    // Not every program has a help: one without options would begin its work.
    const help = script.startsWith('node ') && asked.length > 0 ? helpOf(script) : ''
    return asked
      .filter((option) => !new RegExp(`^ +(-\\w, )?${option}\\b`, 'm').test(help))
      .map((option) => `option ${option} of ${name}`)
  }
  const [, runner] = /^(?:npx )?(node|vitest run|biome) /.exec(command) ?? []
  if (runner === undefined) return []
  const projects = [...command.matchAll(/--project (\w+)/g)].map(([, project]) => project)
  return [
    ...projects.filter((project) => !vitestProjects.includes(project)).map((project) => `project ${project}`),
    ...[...command.matchAll(/ ([\w./-]+\.ts)\b/g)].flatMap(([, file = '']) =>
      existsSync(join(root, file)) ? [] : [file],
    ),
  ]
}

/** What stands there only after a run, and rules of Biome, which are written as paths are. */
const noFiles = /^(\.lab|dist|style|complexity|nursery)\//

/**
 * Files and folders that a document names and that are not there: from the root, from `functions/` or from
 * its own folder; a source by its bare name from anywhere.
 */
function missingFiles(document: string, markdown = read(document)): string[] {
  const names = withoutBlocks(markdown).matchAll(/`([\w.*{},-]+\/[\w./*{},-]*|[\w.-]+\.ts)`/g)
  const isThere = (name: string) =>
    name.includes('/')
      ? ['', 'functions', dirname(document)].some(
          (from) => globSync(name, { cwd: join(root, from) }).length > 0,
        )
      : files.some((path) => basename(path) === name)
  return [...names].map(([, name = '']) => name).filter((name) => !noFiles.test(name) && !isThere(name))
}

/** Readers are all over the world, and the facts are dense already. */
const mostWords = 25
/** @returns sentences of paragraphs, of items of lists and of cells of tables; a span of code is one word */
function longSentences(markdown: string): string[] {
  const prose = withoutBlocks(markdown)
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/`[^`]+`/g, '`code`')
  const texts = prose.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|^#+ .*$|\|/m)
  const sentences = texts.flatMap((text) => text.split(/(?<=[.!?][)\]*_"”]*)\s+/))
  return sentences.filter(
    (sentence) => sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length > mostWords,
  )
}

const folderOf = (room: string) => room.split('/').at(-1) ?? room
/** The rooms that may import this one, as `test/rooms.ts` has it. */
function importersOf(room: string): string[] {
  const imported = new RegExp(`^\\.\\./(functions/)?${folderOf(room)}/`)
  return Object.entries(rooms)
    .filter(([, { allowed }]) => allowed.some((from) => imported.test(from)))
    .map(([importer]) => folderOf(importer))
    .sort()
}

/** What the page of a room says of imports. */
function importTable(room: string, message: string): string {
  const importers = importersOf(room).map((importer) => `\`${importer}\``)
  const by = importers.join(', ') || 'no other room with a rule'
  return `\n| \`${room}\` | ${message} |\n|---|---|\n| imported by | ${by} |\n`
}

test('the documents are found', () => {
  for (const file of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/operations.md'])
    expect(documents).toContain(file)
})

describe.each(documents)('%s', (document) => {
  test('each link leads somewhere', () => {
    expect(brokenLinks(document)).toEqual([])
  })

  test('each command of ours names scripts, options, projects and files that are there', () => {
    expect(commandsOf(document).flatMap((command) => missingIn(command))).toEqual([])
  })

  test('it names no file or folder that is not there', () => {
    expect(missingFiles(document)).toEqual([])
  })

  test(`no sentence has more than ${mostWords} words`, () => {
    expect(longSentences(read(document))).toEqual([])
  })
})

const pages = documents.filter((path) => path.startsWith('docs/rooms/'))

test.each(Object.entries(rooms))('%s has one page, whose imports are the rule’s', (room, { message }) => {
  const own = pages.filter((page) => read(page).includes(importTable(room, message)))
  expect(own.map((page) => basename(page, '.md').split('-'))).toEqual([
    expect.arrayContaining([folderOf(room)]),
  ])
})

test('each page of a room is linked from the architecture and from CONTRIBUTING', () => {
  for (const page of some(pages)) {
    expect(read('docs/architecture.md')).toContain(`](${page.replace('docs/', '')})`)
    expect(read('CONTRIBUTING.md')).toContain(`](${page})`)
  }
})

test('the words of the architecture name each verdict, and no other', () => {
  const verdicts: Record<Verdict, true> = {
    draining: true,
    drained: true,
    overdue: true,
    unknown: true,
    absent: true,
    gone: true,
  }
  const [, named = ''] = /^\| verdict \| ([^:]+):/m.exec(read('docs/architecture.md')) ?? []
  expect(named).toBe(
    Object.keys(verdicts)
      .map((verdict) => `\`${verdict}\``)
      .join(', '),
  )
})

test('the checks see what is not there', () => {
  expect(missingIn('npm run nothing')).toEqual(['script nothing'])
  expect(missingIn('npm run simulate -- --sed=1')).toEqual(['option --sed of simulate'])
  expect(missingIn('npx vitest run --project units test/none.test.ts')).toEqual([
    'project units',
    'test/none.test.ts',
  ])
  expect(missingFiles('docs/rooms/none.md', '`none.ts` `fleet/none.ts` `fleet/settle.ts` `look.ts`')).toEqual(
    ['none.ts', 'fleet/none.ts'],
  )
  const long = `${'so '.repeat(mostWords)}long.`
  const short = `It is short, with \`a span. of code\`, and [a link](${'so-'.repeat(mostWords)}long.md).`
  const around = ['# ', '- ', '1. ', '| ', '```sh\n'].map((mark) => `${mark}${'so '.repeat(20)}\n`)
  expect(longSentences([short, long, `- ${long}`, `| a row | ${long} |`, short].join('\n'))).toHaveLength(3)
  expect(longSentences([short, ...around, '```'].join('\n'))).toEqual([])
})

test('at most ten commands are not run on the lab, each with its reason beside it', () => {
  const blocks = ranOnTheLab.flatMap(blocksOf).filter(({ exempt: why }) => why !== undefined)
  const spans = ranOnTheLab.flatMap(spansOf).filter(({ exempt: why }) => why !== undefined)
  const commands = [...blocks.flatMap(commandsIn), ...spans.map(({ text }) => text.replace(/^time /, ''))]
  expect(new Set(commands).size).toBeLessThanOrEqual(10)
  for (const { exempt: why } of some([...blocks, ...spans])) expect(why?.length).toBeGreaterThan(10)
})

test('a command within a sentence is run on the lab or on an edge, or has the reason why not', () => {
  const run = [...onTheLab().map(({ written }) => written), ...onTheEdge().map(({ text }) => text)]
  expect(run).toEqual(expect.arrayContaining(['kdc drain TARGET… -m WHY', 'kamcmd dlg.stats_active']))
  expect(new Set(run.map((command) => command.replace(/^npx /, ''))).size).toBe(run.length)
  expect(needlessWays()).toEqual([])
})

test('each command of a line counts', () => {
  const text = '# why\nnpm ci && aws a \\\n  --b $(aws c | tr d)\n'
  expect(commandsIn({ text })).toEqual(['npm ci', 'aws a    --b', 'aws c', 'tr d)'])
})

describe('what documents call fails where it shows nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  // In the place of AWS CLI's Python, and of npx.
  const answer = join(folder, 'answer')
  writeFileSync(join(folder, 'npx'), '#!/bin/sh\nprintf "$ANSWER"\n', { mode: 0o755 })
  writeFileSync(answer, '#!/bin/sh\nprintf "$ANSWER"\n', { mode: 0o755 })
  const bin = documentedTools(folder, { python: answer, tries: 1 })
  const path = [bin, folder, process.env['PATH']].join(':')
  const codeOf = (command: string, ANSWER: string) =>
    spawnSync('sh', ['-c', command], { env: { PATH: path, ANSWER } }).status

  test.each([
    ['aws dynamodb get-item --key \'{"pk":{"S":"DRAIN#one"}}\'', '', '{"Item": {"pk": {"S": "DRAIN#one"}}}'],
    [
      'aws dynamodb query --e \'{":h":{"S":"HOLDS"}}\'',
      '{"Items": [], "Count": 0}',
      '{"Items": [{"pk": {"S": "a"}}]}',
    ],
    ['npx kdc status', '', 'readable'],
  ])('%s', (command, nothing, something) => {
    expect(codeOf(command, nothing)).toBe(1)
    expect(codeOf(command, something)).toBe(0)
  })

  test('aws dynamodb query of what need not be there is not judged', () => {
    expect(codeOf('aws dynamodb query --e \'{":w":{"S":"WAITING"}}\'', '')).toBe(0)
  })
})

test('the files beside package.json and biome.json say what those say', () => {
  expect(`>=${read('.nvmrc').trim()}`).toBe(manifest.engines.node)
  expect(read('LICENSE')).toMatch(new RegExp(`^${manifest.license} License\n`))
  expect(read('CHANGELOG.md')).toMatch(/^## \[Unreleased\]$/m)
  expect(read('CHANGELOG.md')).toContain(`\n## [${manifest.version}] - 20`)
  const { formatter } = z
    .object({ formatter: z.object({ indentStyle: z.string(), indentWidth: z.int(), lineWidth: z.int() }) })
    .parse(JSON.parse(read('biome.json')))
  expect(read('.editorconfig')).toContain(
    `[*.{ts,json}]\nindent_style = ${formatter.indentStyle}\nindent_size = ${formatter.indentWidth}\nmax_line_length = ${formatter.lineWidth}\n`,
  )
})
