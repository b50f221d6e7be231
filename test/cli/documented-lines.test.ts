import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { exitCodes, Stop } from '../../cli/desk/exit-codes.ts'
import { some } from '../present.ts'
import { kdcWorld } from './kdc-world.ts'

// Blocks of commands are run on the lab. Of those within a line this looks at names, options and arguments.
const root = join(import.meta.dirname, '../..')
// What a former release had is in the change log.
const documents = globSync(['*.md', 'docs/**/*.md', 'kamailio/*.md'], { cwd: root }).filter(
  (path) => path !== 'CHANGELOG.md',
)
const textOf = (document: string) => readFileSync(join(root, document), 'utf8')
const codeIn = (markdown: string) =>
  [...markdown.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)

const { kdc } = kdcWorld()
const reach = () => Promise.reject(new Stop('understood'))

/** @param line as a shell takes it, placeholders too @returns what `kdc` itself has against it */
async function wrongWithKdc(line: string): Promise<string[]> {
  const words = line
    .replace(/ (?:[|>;]|&&|\|\|) .*/, '')
    .replaceAll(/\[([A-Z]+)\]/g, '$1')
    .replace(/^(?:npx )?kdc /, '')
  const { code, err } = await kdc(words, { reach })
  // A group of commands that is named, and no more, answers with its help.
  const isFine = code !== exitCodes.usage || err.startsWith(`Usage: kdc ${words} [options] [command]`)
  return isFine ? [] : [`${line}: ${err.trim()}`]
}

const isKdc = (code: string) => /^(?:npx )?kdc \S/.test(code)

/** A row of a table that begins with commands: what is wrong with the options that it names beside them. */
async function wrongOptions(row: string): Promise<string[]> {
  const code = codeIn(row)
  const commands = code.filter(isKdc)
  const options = code.filter((text) => text.startsWith('-'))
  const found = await Promise.all(
    options.map(async (option) => {
      const values = ['', ' 5m', ' 2026-11-27']
      const lines = commands.flatMap((command) => values.map((value) => `${command} ${option}${value}`))
      const wrong = await Promise.all(lines.map(wrongWithKdc))
      return wrong.some((each) => each.length === 0) ? [] : [`${option} of ${commands.join(', ')}`]
    }),
  )
  return found.flat()
}

/** Loaded where a document names them: some are large. */
const services: Readonly<Record<string, () => Promise<object>>> = {
  autoscaling: () => import('@aws-sdk/client-auto-scaling'),
  cloudformation: () => import('@aws-sdk/client-cloudformation'),
  cloudwatch: () => import('@aws-sdk/client-cloudwatch'),
  dynamodb: () => import('@aws-sdk/client-dynamodb'),
  ec2: () => import('@aws-sdk/client-ec2'),
  events: () => import('@aws-sdk/client-eventbridge'),
  lambda: () => import('@aws-sdk/client-lambda'),
  sqs: () => import('@aws-sdk/client-sqs'),
  ssm: () => import('@aws-sdk/client-ssm'),
  stepfunctions: () => import('@aws-sdk/client-sfn'),
  sts: () => import('@aws-sdk/client-sts'),
}
/** An operation in the SDK's own model; its input names its members. */
const modelled = z
  .tuple([z.literal(9), z.string(), z.string(), z.unknown(), z.custom<() => unknown>()])
  .rest(z.unknown())
const structure = z
  .tuple([z.literal(3), z.string(), z.string(), z.unknown(), z.array(z.string())])
  .rest(z.unknown())
/** Of the AWS CLI itself. */
const everywhere = ['query', 'output', 'region', 'profile']
const plain = (name: string) => name.replaceAll('-', '').toLowerCase()

/** @returns what the SDK does not have, of a service whose client is installed */
async function wrongWithAws(line: string): Promise<string[]> {
  const [, service = '', operation = '', rest = ''] = /^aws ([a-z\d]+) ([a-z\d-]+)(.*)$/.exec(line) ?? []
  const client = await services[service]?.()
  if (client === undefined) return []
  const [, found] = Object.entries(client).find(([name]) => plain(name) === `${plain(operation)}$`) ?? []
  const model = modelled.safeParse(found)
  if (!model.success) return [`${service} has no ${operation}`]
  const members = structure.parse(model.data[4]())[4].map(plain)
  const options = [...rest.matchAll(/ --(?:no-)?([a-z][a-z\d-]*)/g)].map(([, option = '']) => option)
  return options
    .filter((option) => !everywhere.includes(option) && !members.includes(plain(option)))
    .map((option) => `${service} ${operation} has no ${option}`)
}

describe.each(documents)('%s', (document) => {
  const code = codeIn(textOf(document))

  test('each command line of kdc within its lines is one that kdc takes', async () => {
    const wrong = await Promise.all(code.filter(isKdc).map(wrongWithKdc))
    expect(wrong.flat()).toEqual([])
  })

  test('each option beside a command of kdc is one of its own', async () => {
    const rows = textOf(document).match(/^\| `kdc .*$/gm) ?? []
    expect((await Promise.all(rows.map(wrongOptions))).flat()).toEqual([])
  })

  test('each operation of AWS within its lines is there, with these options', async () => {
    expect((await Promise.all(code.map(wrongWithAws))).flat()).toEqual([])
  })
})

test('the documents name commands of kdc and of AWS within their lines', () => {
  const code = documents.flatMap((document) => codeIn(textOf(document)))
  expect(code.filter(isKdc).length).toBeGreaterThan(40)
  expect(code.filter((text) => /^aws [a-z]/.test(text)).length).toBeGreaterThan(10)
})

test.each([
  ['kdc stat', /unknown command/],
  ['kdc get drain', /unknown command|Usage/],
  ['kdc status --wach', /unknown option/],
  ['kdc may-restart EDGE OTHER', /too many arguments/],
  ['kdc explain', /missing required argument/],
  ['kdc release EDGE', /required option/],
  ['npx kdc status -o xml | less', /Allowed choices/],
])('%s is seen to be wrong', async (line, why) => {
  expect(await wrongWithKdc(line)).toEqual([expect.stringMatching(why)])
})

test('what is right is not', async () => {
  for (const line of some([
    'kdc schema',
    'kdc reload [EDGE]',
    "npx kdc drain $I -m 'it is lost' --wait",
    'npx kdc --help',
  ]))
    expect(await wrongWithKdc(line)).toEqual([])
})

test('an option that its command lacks is seen, and so is what AWS lacks', async () => {
  expect(await wrongOptions('| `kdc status`, `kdc doctor` | with `-w`, or `--day` |')).toEqual([
    '--day of kdc status, kdc doctor',
  ])
  expect(await wrongWithAws('aws sqs move-messages')).toEqual(['sqs has no move-messages'])
  expect(await wrongWithAws('aws sqs send-message --queue-url Q --body B --query X')).toEqual([
    'sqs send-message has no body',
  ])
})
