import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { untilBusy, waitFor } from '../../lab/scenarios/stage.ts'
import type { Machine } from '../../lab/world/machines.ts'
import { program, runKdc } from './kdc-process.ts'
import { sharedWorld } from './shared-world.ts'

const world = sharedWorld({})

/** With the lab's endpoint and credentials. */
const kdc = (...words: string[]) => runKdc(world().emulator.env(), ...words)

async function json<T>(form: z.ZodType<T>, ...words: string[]): Promise<T> {
  const { code, out, err } = await kdc(...words, '-o', 'json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return form.parse(JSON.parse(out))
}

const edge = z.looseObject({ edge: z.string(), state: z.string() })
const status = z.looseObject({ stack: z.string(), edges: z.array(edge) })
const drains = z.array(
  z.looseObject({
    uris: z.array(z.string()),
    callsLeft: z.number(),
    confirmed: z.boolean(),
    who: z.string(),
  }),
)
const letters = z.array(z.looseObject({ id: z.string(), was: z.string() }))
const history = z.array(z.looseObject({ kind: z.string() }))
let machine: Machine

beforeAll(async () => {
  machine = world().machines.named('long-2')
  await untilBusy(world(), machine)
})

const flagsOn = async () =>
  (await Promise.all(world().edges.map((each) => each.list())))
    .flat()
    .filter(({ uri }) => uri === machine.uri)
    .map(({ flags }) => flags.charAt(0))

test('the deployment is found by its parameter, and every edge is shown as readable', async () => {
  const isRead = async () => (await kdc('get', 'edges')).out.match(/ readable /g)?.length === 2
  expect(await waitFor(60_000, isRead, 1000)).toBe(true)
  expect(await json(status, 'status')).toMatchObject({
    stack: 'dispatcher-control',
    edges: [
      { edge: 'edge-a', state: 'readable' },
      { edge: 'edge-b', state: 'readable' },
    ],
  })
})

describe('a server with calls', () => {
  test('is drained, which is waited for until every edge shows it disabled in two readings', async () => {
    const { code, out, err } = await kdc(
      ...['drain', machine.uri, '-m', 'disk failing', '--wait=confirmed', '--timeout', '90s'],
    )
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/calls left: /) })
    expect(out).toMatch(new RegExp(`edge-b +applied +\\d+ ${machine.uri.replaceAll('.', '\\.')} +A. → D.`))
    expect(out).toContain(`undo: kdc activate ${machine.uri}`)
    expect(new Set(await flagsOn())).toEqual(new Set(['D']))
  })

  test('and while it drains its calls are known, and who holds it and why', async () => {
    const watching = spawn(process.execPath, [program, 'watch', machine.uri], {
      env: { PATH: process.env['PATH'], ...world().emulator.env() },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(String(await once(watching.stdout, 'data'))).toMatch(/drain {3}sip:.* calls left: \d+ \(edge-/)
    watching.kill('SIGINT')
    expect(await once(watching, 'exit')).toEqual([130, null])
    const [drain] = await json(drains, 'get', 'drains')
    expect(drain).toMatchObject({ uris: [machine.uri], confirmed: true, who: expect.stringMatching(/^arn:/) })
    expect(drain?.callsLeft).toBeGreaterThan(0)
    const { code, out } = await kdc('explain', machine.uri)
    expect(code).toBe(0)
    expect(out).toMatch(/why +disk failing/)
    expect(out).toMatch(/calls are left: \d+ on edge-/)
  })

  test('and gets calls again once it is activated', async () => {
    const { code, out } = await kdc('activate', machine.uri)
    expect(code).toBe(0)
    expect(out).toContain('lifted')
    expect(new Set(await flagsOn())).toEqual(new Set(['A']))
    expect(await json(drains, 'get', 'drains')).toEqual([])
  })
})

test('what no edge lists is refused with 3, and not sent', async () => {
  const { code, err } = await kdc('drain', 'sip:192.0.2.1:5060', '-m', 'a typo')
  expect(code).toBe(3)
  expect(err).toMatch(/no edge lists a destination that "sip:192.0.2.1:5060" names.*Nothing was sent/)
  expect(await json(letters, 'dlq', 'ls')).toEqual([])
})

test('what is refused ends with 3 and the reason, and both are found by its id', async () => {
  const { code, out, err } = await kdc('drain', 'i-0bbbbbbbbbbbbbbbb', '-m', 'a typo')
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toContain('kdc: refused: EC2 knows no instance i-0bbbbbbbbbbbbbbbb')
  const id = /^drain (kdc-\S+) is sent by arn:/.exec(err)?.[1] ?? 'no id'
  expect((await kdc('get', 'command', id)).out).toContain('refused: EC2 knows no')
  expect((await kdc('get', 'commands', '-n', '1')).out).toContain(id)
})

test('its dead letter is shown with the reason, and dropped', async () => {
  const [letter, ...others] = await json(letters, 'dlq', 'ls')
  expect(others).toEqual([])
  expect(letter).toMatchObject({ was: 'refused', reason: expect.stringContaining('EC2 knows no instance') })
  const id = letter?.id.slice(0, 8) ?? 'no id'
  expect((await kdc('dlq', 'show', id)).out).toContain('"reason": "a typo"')
  expect(await kdc('dlq', 'drop', id)).toMatchObject({ code: 3, err: expect.stringContaining('--yes') })
  expect(await kdc('dlq', 'drop', id, '--yes')).toMatchObject({ code: 0 })
  expect(await json(letters, 'dlq', 'ls')).toEqual([])
})

test('who changed what, and why, is on file', async () => {
  const changes = await json(history, 'history', machine.uri)
  expect(changes.map(({ kind }) => kind)).toEqual(['lifted', 'placed'])
  expect(changes.at(-1)).toMatchObject({ why: 'disk failing', who: expect.stringMatching(/^arn:/) })
})

test('a client of the Model Context Protocol drains a server with a plan, and gives it back with another', async () => {
  const env = { PATH: process.env['PATH'] ?? '', ...world().emulator.env() }
  const args = [program, 'mcp', '--allow', 'drain']
  const transport = new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' })
  const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(transport)
  const call = async (name: string, asked: Readonly<Record<string, unknown>>) => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...asked } })
    return isError ? { content } : structuredContent
  }
  const planned = z.object({ plan: z.string() })
  const of = { target: machine.uri, reason: 'a model says so' }
  try {
    const { plan } = planned.parse(await call('plan', { command: 'drain', ...of }))
    expect(new Set(await flagsOn())).toEqual(new Set(['A']))
    expect(await call('drain', { ...of, plan })).toMatchObject({ outcome: { result: 'started' } })
    expect(new Set(await flagsOn())).toEqual(new Set(['D']))
    expect(await call('drain', { ...of, plan })).toMatchObject({
      content: [{ text: expect.stringContaining('was used before') }],
    })
    expect(await call('list_drains', {})).toMatchObject({ drains: [{ uris: [machine.uri], why: of.reason }] })
    const back = planned.parse(await call('plan', { command: 'activate', ...of }))
    expect(await call('activate', { ...of, plan: back.plan })).toMatchObject({
      outcome: { result: 'lifted' },
    })
    expect(new Set(await flagsOn())).toEqual(new Set(['A']))
  } finally {
    await client.close()
  }
})

test('an unknown stack ends with 1, in one line that says what to do', async () => {
  for (const words of [
    ['--stack', 'voice', 'status'],
    ['status', '--stack', 'voice'],
  ])
    expect(await kdc(...words)).toEqual({
      code: 1,
      out: '',
      err: 'kdc: no deployment "voice" in eu-central-1: there is no parameter /kdc/voice; name another with --stack or --region\n',
    })
})

test('a pipe that closes ends a watch, and a signal does too, with 130', async () => {
  const env = { PATH: process.env['PATH'], ...world().emulator.env() }
  const watch = () =>
    spawn(process.execPath, [program, 'status', '-w'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const end of ['pipe', 'signal'] as const) {
    const child = watch()
    await once(child.stdout, 'data')
    if (end === 'pipe') child.stdout.destroy()
    else child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
  }
})
