import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentFile } from '../../lab/playground/door.ts'
import { pythonWith } from '../../lab/programs/python-venv.ts'
import { waitFor } from '../../lab/scenarios/stage.ts'
import { present } from '../present.ts'
import { blocksOf, commandLine, documents, ranBlock } from './documented.ts'
import { onTheLab } from './documented-spans.ts'
import { documentedTools } from './documented-tools.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

let up: ChildProcess
let printed = ''
let path: string

beforeAll(async () => {
  path = [
    documentedTools(folder, { python: await awsCli() }),
    dirname(process.execPath),
    process.env['PATH'],
  ].join(delimiter)
  up = spawn(process.execPath, [join(root, 'lab/lab.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  up.stdout?.on('data', (data: Buffer) => {
    printed += data.toString()
  })
  const isUp = await waitFor(200_000, () => printed.includes('What the control plane publishes:'), 500)
  if (!isUp) throw new Error(`the lab did not come up: ${printed}`)
})
afterAll(async () => {
  if (up.exitCode !== null) return
  up.kill('SIGTERM')
  await once(up, 'exit')
})

/** The script of its environment names the folder that it was made in, before it was put in place. */
const awsCli = () =>
  pythonWith('aws-cli', join(import.meta.dirname, 'aws-cli-requirements.txt'), console.info)

async function ran(command: string, words: readonly string[], cwd = root): Promise<Ran> {
  const ofTest = { FOLDER: folder, RUN_OF_LAB: runOfLab(), NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const env = { PATH: path, HOME: folder, ...ofTest }
  const child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: child.exitCode, out, err }
}

const runOfLab = () => /files of this run: (\S+)/.exec(printed)?.[1] ?? ''

const lab = (...words: string[]) => ran(process.execPath, [join(root, 'lab/lab.ts'), ...words])
/** As a person has it who has sourced the lab's environment. */
const shell = (words: readonly string[]) =>
  ran('bash', ['-c', `. '${environmentFile}'; exec bash "$@"`, 'bash', ...words])

async function uriOf(server: string): Promise<string> {
  const { out } = await lab('status')
  const address = new RegExp(`^${server} +(\\S+) `, 'm').exec(out)?.[1]
  return `sip:${present(address, `${server} in ${out}`)}`
}

async function instanceOf(server: string): Promise<string> {
  const { out } = await lab('status')
  const id = new RegExp(`^${server} .* (i-[0-9a-f]{17}) `, 'm').exec(out)?.[1]
  return present(id, `${server} in ${out}`)
}

/** @returns the id of whatever had edge-a written to last */
async function idOfAWrite(): Promise<string> {
  const ids = () => [
    ...readFileSync(join(runOfLab(), 'edge-a/edge-a.log'), 'utf8').matchAll(
      /rpc: write from \S+ for ([0-9a-f-]{36}):/g,
    ),
  ]
  await waitFor(30_000, () => ids().length > 0, 500)
  return present(ids().at(-1)?.[1], 'a write that an event had done')
}

describe('a lab that is up', () => {
  test('prints commands for its own servers, and shows what they and their calls do', async () => {
    expect(printed).toContain(`npx kdc drain ${await uriOf('ms-1')} -m `)
    expect(printed).toContain(`. ${environmentFile}`)
    const { out } = await lab('status')
    expect(out).toMatch(/^\d+ calls up, \d+ placed, 0 failed, 0 cut$/m)
    expect(out.match(/InService/g)?.length).toBe(13)
  })

  test('places a call', async () => {
    expect(await lab('call', 'edge-b', '--seconds', '5')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^a call of 5 s through edge-b is up on \S+\n$/),
    })
  })

  test('takes a server away once its calls are over, and launches another one', async () => {
    expect(await lab('scale-in', 'ms-4')).toMatchObject({
      code: 0,
      out: expect.stringContaining('takes ms-4 away'),
    })
    const state = async () => (await lab('status')).out.split('\n').find((line) => line.startsWith('ms-4'))
    expect(await waitFor(60_000, async () => (await state())?.includes('Terminated') === true, 1000)).toBe(
      true,
    )
    expect(await waitFor(30_000, () => /Drain Ended {2}ms-4/.test(printed), 500)).toBe(true)
    expect(await lab('launch')).toMatchObject({ code: 0, out: expect.stringContaining('launches i-') })
    expect(await waitFor(60_000, async () => (await state())?.includes('InService') === true, 1000)).toBe(
      true,
    )
  })

  test("fires a server's alarm, and ends it", async () => {
    const flags = async () =>
      (await lab('status')).out.split('\n').find((line) => line.startsWith('ms-5')) ?? ''
    await lab('alarm', 'ms-5')
    expect(await waitFor(60_000, async () => / DX +DX /.test(await flags()), 1000)).toBe(true)
    await lab('alarm', 'ms-5', '--ok')
    expect(await waitFor(60_000, async () => / AP +AP /.test(await flags()), 1000)).toBe(true)
  })

  test("breaks an edge's RPC while its calls go on, and mends it", async () => {
    const state = async () => (await shell(['-c', 'npx kdc status'])).out
    const uri = await uriOf('ms-7')
    // What is asked for has the edges read at once.
    await lab('break', 'edge-b')
    const { out } = await shell(['-c', `npx kdc drain ${uri} -m 'an edge is away'`])
    expect(out).toMatch(/^edge-b +unreachable/m)
    expect(await state()).toMatch(/^edge-b +unreadable/m)
    expect((await lab('status')).out).toContain(', 0 cut')
    await lab('mend', 'edge-b')
    await shell(['-c', `npx kdc activate ${uri}`])
    expect(await waitFor(90_000, async () => /^edge-b +readable/m.test(await state()), 1000)).toBe(true)
  })

  test.each([
    [['scale-in', 'ms-44'], 'there is no server "ms-44": ms-1, ms-2'],
    [['break', 'edge-z'], 'there is no edge "edge-z": edge-a, edge-b'],
    [['call', '--seconds', '60'], 'ask for 25 s at most'],
    [['call', '--seconds', 'x'], 'takes a whole number'],
    [['bogus'], 'there is no command "bogus": status, scale-in'],
    [[], 'a lab is up in this folder already'],
  ])('refuses %j in words', async (words, why) => {
    expect(await lab(...words)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(why) })
  })
})

describe('commands that documents name', () => {
  const all = documents.map((document) => ({ document, blocks: blocksOf(document) }))

  /** Runs them in one shell. @returns what came of the nth */
  async function runAll(place: string, blocks: readonly string[]) {
    mkdirSync(place)
    await shell(commandLine(blocks, place))
    return (n: number) => ranBlock(place, n)
  }

  // Documents name a server as a fleet of EC2 has it. One of the lab's takes its place, and nothing else.
  describe.each(all)('$document', ({ document, blocks }) => {
    const runs = blocks.filter(({ exempt }) => exempt === undefined)
    const place = join(folder, document.replaceAll(/\W/g, '-'))
    let outcome: (n: number) => ReturnType<typeof ranBlock>

    beforeAll(async () => {
      const [uri, instance] = [await uriOf('ms-6'), await instanceOf('ms-6')]
      // The runbook is about a drain that there is.
      if (document.includes('operations')) await lab('scale-in', 'ms-6')
      const writtenFor = await idOfAWrite()
      // The lab's edges keep the secret that they have.
      const itsOwn = (block: string) =>
        block.includes('rpc-secret')
          ? block.replaceAll('/dispatcher-control/', `/${basename(place)}/`)
          : block
      const asHere = (block: string) =>
        itsOwn(block)
          .replaceAll('sip:10.0.1.20:5060', uri)
          .replaceAll('10.0.1.20', '127.0.2.6')
          .replaceAll(/\bi-0123456789abcdef0\b/g, instance)
          .replaceAll('7bf73129-1428-4cd3-a780-95db273d1602', writtenFor)
      outcome = await runAll(
        place,
        runs.map((block) => asHere(block.text)),
      )
    })

    test.each(runs.map(({ where }, n) => ({ where, n })))('$where does what it is there for', ({ n }) => {
      const { out, failed } = outcome(n)
      expect(failed, out).toBe('')
    })

    test('none of its commands was refused, or failed', async () => {
      const { code, out } = await shell(['-c', 'npx kdc dlq ls -o json'])
      expect({ code, letters: JSON.parse(out) }).toEqual({ code: 0, letters: [] })
    })
  })

  describe('in their sentences', () => {
    const steps = onTheLab()
    let outcome: (n: number) => ReturnType<typeof ranBlock>

    beforeAll(async () => {
      const [runbook] = blocksOf('docs/operations.md')
      const values = {
        ...{ TARGET: await uriOf('ms-8'), OTHER: await uriOf('ms-9'), EDGE: 'edge-a', WHY: 'to try it' },
        // Of one server: it is the command that is tried, and not the machine.
        ...{ NAME: 'asterisk', GROUP: 'media-servers', G: 'media-servers' },
        ...{ HOOK: 'drain-calls', H: 'drain-calls' },
        ...{ I: await instanceOf('long-1'), J: await instanceOf('long-2'), K: await instanceOf('ms-9') },
        INSTANCE: await instanceOf('ms-8'),
      }
      const variables = Object.entries(values).map(([name, value]) => `${name}='${value}'`)
      const first = [present(runbook, 'the first block of the runbook').text, ...variables].join('\n')
      // An edge that is not there: nothing outside this machine is asked.
      const commands = steps.map(({ text }) => text.replaceAll('10.0.2.5', '127.0.1.9'))
      const ran = await runAll(join(folder, 'sentences'), [first, ...commands])
      outcome = (n) => ran(n + 1)
    })

    test.each(steps.map((step, n) => ({ ...step, n })))('$where: $written', ({ n }) => {
      const { out, failed } = outcome(n)
      expect(failed, out).toBe('')
    })
  })
})

test('is stopped by an order, and nothing of it stays', async () => {
  expect(await lab('stop')).toMatchObject({ code: 0, out: 'the lab stops\n' })
  if (up.exitCode === null) await once(up, 'exit')
  expect(up.exitCode).toBe(0)
  expect(printed).toContain('nothing of it runs any more')
  expect(existsSync(environmentFile)).toBe(false)
  expect(await lab('status')).toMatchObject({
    code: 1,
    err: 'lab: no lab is up in this folder: start one with npm run lab\n',
  })
})
