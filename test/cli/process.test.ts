import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { awsStub } from '../aws/aws-stub.ts'
import { deployment } from './deployment.ts'

const program = join(import.meta.dirname, '../../cli/kdc.ts')
const manifest = join(import.meta.dirname, '../../package.json')

/** What the program needs to reach a deployment without anything in its table. */
async function environment(more: Record<string, string> = {}) {
  const { client } = await awsStub(({ operation }) => ({
    result: operation === 'GetParameter' ? { Parameter: { Value: JSON.stringify(deployment) } } : {},
  }))
  return {
    PATH: process.env['PATH'],
    ...{ AWS_ENDPOINT_URL: client.endpoint, AWS_REGION: client.region },
    ...{ AWS_ACCESS_KEY_ID: 'stub', AWS_SECRET_ACCESS_KEY: 'stub', ...more },
  }
}

const noConfiguration = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }

async function kdc(words: readonly string[], env: Record<string, string | undefined>) {
  const child = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, out, err }
}

test.each<[string, (child: ChildProcess) => unknown]>([
  ['a pipe that closes', (child) => child.stdout?.destroy()],
  ['Ctrl-C', (child) => child.kill('SIGINT')],
  ['a terminal that closes', (child) => child.kill('SIGHUP')],
])('%s ends what is watched with 130, and without a word of a defect', async (_, end) => {
  const env = await environment()
  const child = spawn(process.execPath, [program, 'status', '-w'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const err = text(child.stderr)
  await once(child.stdout, 'data')
  end(child)
  expect(await once(child, 'exit')).toEqual([130, null])
  expect(await err).toBe('kdc: stopped: what is under way goes on\n')
})

test('Ctrl-C ends what AWS does not answer at once: 130', async () => {
  const asked = Promise.withResolvers<void>()
  const { client } = await awsStub(({ operation }) => {
    if (operation === 'GetParameter') return { result: { Parameter: { Value: JSON.stringify(deployment) } } }
    asked.resolve()
    return 'silence'
  })
  const env = {
    ...(await environment()),
    AWS_ENDPOINT_URL: client.endpoint,
  }
  const child = spawn(process.execPath, [program, 'history'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const err = text(child.stderr)
  await asked.promise
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([130, null])
  expect(await err).toBe('kdc: stopped: nothing was changed\n')
})

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0
if (!hasPython) console.warn('A terminal that closes is skipped: this machine has no python3 to make one')
/** Starts a program on a terminal of its own, closes that after the first words, and prints how it ended. */
const onTerminal = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(terminal, 1)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`

test.skipIf(!hasPython)(
  'the terminal itself closes, so that nothing can be written any more: 130',
  async () => {
    const env = await environment()
    const words = ['-c', onTerminal, process.execPath, program, 'status', '-w']
    const child = spawn('python3', words, { env, stdio: ['ignore', 'pipe', 'ignore'] })
    expect(await text(child.stdout)).toBe('130\n')
  },
)

/** What a program writes to a terminal of its own. */
const seen = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b''
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    text += more
os.waitpid(child, 0)
sys.stdout.buffer.write(text)
`

/** What is shown in red. */
async function withAnUnreadableEdge(): Promise<string> {
  const unreadable = { since: { N: '1' }, at: { N: '1' }, reason: { S: 'away' }, passes: { BOOL: true } }
  const head = { edge: { S: 'a' }, wanted: { N: '-1' }, askedAt: { N: '0' }, unreadable: { M: unreadable } }
  const lease = { owner: { S: '' }, until: { N: '0' }, generation: { N: '0' }, head: { M: head } }
  const row = { pk: { S: 'EDGES#7' }, sk: { S: 'a' }, data: { M: lease } }
  const { client } = await awsStub(({ operation, body }) => {
    if (operation === 'GetParameter') return { result: { Parameter: { Value: JSON.stringify(deployment) } } }
    return { result: JSON.stringify(body).includes('EDGES#7') ? { Items: [row] } : {} }
  })
  return client.endpoint
}

/** What is shown on a terminal to which nobody has given a size. */
async function shownOnTerminal(line: string, more: Record<string, string> = {}): Promise<string> {
  const AWS_ENDPOINT_URL = await withAnUnreadableEdge()
  const words = ['-c', seen, process.execPath, program, ...line.split(' ')]
  const env = { ...(await environment(more)), AWS_ENDPOINT_URL }
  const child = spawn('python3', words, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  return text(child.stdout)
}

test.skipIf(!hasPython)('a terminal is shown colours, unless NO_COLOR is set', async () => {
  const isColoured = (shown: string) => shown.includes('\u001b[')
  expect(isColoured(await shownOnTerminal('get edges'))).toBe(true)
  expect(isColoured(await shownOnTerminal('get edges', { NO_COLOR: '1' }))).toBe(false)
})

test.skipIf(!hasPython)(
  'on a terminal of no size nothing is cut, and no line is broken after each word',
  async () => {
    const shown = await shownOnTerminal('status', { NO_COLOR: '1' })
    expect(shown).toMatch(/^a +unreadable: away +- +- /m)
    expect(shown).toMatch(/KAMAILIO\r$/m)
    expect(shown).not.toContain('some columns do not fit')
  },
)

test('--version is that of the package', async () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, 'utf8')))
  expect(await kdc(['--version'], { PATH: process.env['PATH'] })).toEqual({
    code: 0,
    out: `${version}\n`,
    err: '',
  })
})

test('without credentials, or where nobody answers, it is one line that says what to do', async () => {
  const {
    AWS_ACCESS_KEY_ID: _id,
    AWS_SECRET_ACCESS_KEY: _secret,
    ...rest
  } = await environment(noConfiguration)
  expect(await kdc(['status'], { ...rest, AWS_EC2_METADATA_DISABLED: 'true' })).toEqual({
    ...{ code: 1, out: '' },
    err: expect.stringMatching(
      /^kdc: no AWS credentials: log in, or name a profile with --profile \(.*\)\n$/,
    ),
  })
  const unreached = await environment({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })
  expect(await kdc(['status'], unreached)).toEqual({
    ...{ code: 1, out: '' },
    err: expect.stringMatching(/^kdc: AWS is not reached: look at the network, and at --region \(.*\)\n$/),
  })
})

const isFull = existsSync('/dev/full')
if (!isFull) console.warn('A disk that is full is skipped: this machine has no /dev/full')

test.skipIf(!isFull)('a disk that is full is one line that says what to do: 1', async () => {
  const env = { PATH: process.env['PATH'] }
  for (const words of ['schema command', '--help']) {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `"$0" "$1" ${words} > /dev/full`, process.execPath, program],
      {
        ...{ env, encoding: 'utf8' },
      },
    )
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^kdc: what was found can't be written: make room, [^\n]+\n$/),
    })
  }
})

test('an endpoint that is no URL, a profile that is not there, or contexts that are a folder, are one line that says what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kdc-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'kdc', 'contexts.yaml'), { recursive: true })
  const env = await environment({ AWS_ENDPOINT_URL: 'foo', XDG_CONFIG_HOME: folder })
  expect(await kdc(['status'], env)).toEqual({
    ...{ code: 1, out: '' },
    err: expect.stringMatching(
      /^kdc: AWS_ENDPOINT_URL, or an endpoint_url .* is no URL: leave it out, [^\n]+\n$/,
    ),
  })
  const unnamed = { ...env, ...noConfiguration, AWS_PROFILE: 'typo' }
  expect(await kdc(['status'], unnamed)).toMatchObject({
    ...{ code: 2, err: expect.stringContaining('no profile "typo" is in the AWS configuration') },
  })
  expect(await kdc(['--context', 'voice', 'status'], env)).toEqual({
    ...{ code: 2, out: '' },
    err: expect.stringMatching(/^kdc: .*contexts.yaml can't be read: .*; it has to be a file [^\n]+\n$/),
  })
})

test('a line that is no message is one line of kdc mcp, which goes on', async () => {
  const env = await environment()
  const child = spawn(process.execPath, [program, 'mcp'], { env, stdio: 'pipe' })
  child.stdin.end('[]\n{}\n{"jsonrpc":"2.0","id":1,"method":"nothing"}\n')
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  expect(err).toMatch(/^(kdc: the client has written a line that is no message [^\n]+\n){2}$/)
  expect(out).toContain('"id":1')
  expect(code).toBe(0)
})

/** A deployment whose commands have one dead letter, which was refused. */
async function withADeadLetter() {
  const letter = {
    ...{ MessageId: 'm-1', ReceiptHandle: 'r-1', Body: '{}', MD5OfBody: '99914b932bd37a50b983c5e7c90ae93b' },
    MessageAttributes: { errorName: { DataType: 'String', StringValue: 'InvalidMessage' } },
  }
  let receives = 0
  const stub = await awsStub(({ operation, body }) => {
    const at = (name: string) => `${stub.client.endpoint}/1/${name}`
    const deadLetterQueueUrls = { commands: at('D'), lifecycleEvents: at('DL'), alarmEvents: at('DA') }
    if (operation === 'GetParameter')
      return { result: { Parameter: { Value: JSON.stringify({ ...deployment, deadLetterQueueUrls }) } } }
    if (operation !== 'ReceiveMessage' || body.QueueUrl !== at('D')) return { result: {} }
    receives += 1
    return { result: receives % 2 === 1 ? { Messages: [letter] } : {} }
  })
  return stub
}

test.skipIf(!hasPython)(
  'a question that nobody would see is not asked: where stderr goes into a file it ends with 3',
  async () => {
    const { client, requests } = await withADeadLetter()
    const shell = '"$0" "$@" 2>/dev/null; echo "code $?"'
    const words = ['-c', seen, 'sh', '-c', shell, process.execPath, program, 'dlq', 'drop', '--refused']
    const env = { ...(await environment()), AWS_ENDPOINT_URL: client.endpoint }
    const child = spawn('python3', words, { env, stdio: ['ignore', 'pipe', 'ignore'] })
    expect(await text(child.stdout)).toBe('code 3\r\n')
    expect(requests.map(({ operation }) => operation)).not.toContain('DeleteMessage')
  },
)
