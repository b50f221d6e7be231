import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { AwsEvent } from '../auto-scaling/auto-scaling-types.ts'
import { freePort } from '../programs/free-port.ts'
import { type Child, startChild, untilReady } from '../programs/leash.ts'
import type { Program } from '../programs/program.ts'

/** An AWS that runs on this machine. */
export interface Emulator {
  readonly endpoint: string
  readonly region: string
  readonly accountId: string
  /** Its process, below which its functions' are; undefined where the lab did not start it. */
  readonly pid?: number
  /** How many times as long as MiniStack it takes for the same, roughly: triggers come that much slower. */
  readonly slowness: number
  /** What an AWS SDK client of the lab is made with: `new SQSClient(emulator.client)`. */
  readonly client: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  /** The environment that points another program's AWS SDK or CLI here, and nowhere else. */
  env(): Record<string, string>
  /**
   * What is still to be done to the functions of these stacks after each deployment; undefined when nothing
   * is.
   */
  readonly deployed?: (stacks: readonly string[]) => Promise<void>
  stop(): Promise<void>
}

/** What every emulator that the lab starts is told. */
export interface EmulatorOptions {
  /** Everything that it writes: log, state, code of the handlers. */
  readonly runDir: string
  /** true: each call is checked against its caller's role. Default false. */
  readonly auth?: boolean
  /** Reaches every handler untouched by the template, e.g. `AWS_ENDPOINT_URL_AUTO_SCALING`. */
  readonly handlerEnvironment?: Readonly<Record<string, string>>
}

export interface MiniStackOptions extends EmulatorOptions {
  /** A Python that has MiniStack (`ministackPython`). */
  readonly ministack: Program
}

const region = 'eu-central-1'
const accountId = '123456789012'
// MiniStack's name for the account's root user: allowed everything, also with role checks
const accessKeyId = 'test'

/**
 * Starts MiniStack on a free port of loopback, with nothing of the machine's own environment but the PATH:
 * its handlers inherit all of it. They run on the Node that runs the lab.
 * @throws ChildExited, ChildNotReady with the last lines of its log
 */
export async function startMiniStack(options: MiniStackOptions): Promise<Emulator> {
  const port = await freePort('127.0.0.1')
  const endpoint = `http://127.0.0.1:${port}`
  const folder = (name: string) => {
    const path = join(options.runDir, 'ministack', name)
    mkdirSync(path, { recursive: true })
    return path
  }
  // MiniStack's worker is CommonJS in a .js file, which this project's own package.json would make an ES
  // module.
  writeFileSync(join(folder('tmp'), 'package.json'), '{"type":"commonjs"}')
  const child = await startChild({
    name: 'ministack',
    argv: [...options.ministack.argv, join(import.meta.dirname, 'ministack-launcher.py')],
    runDir: options.runDir,
    env: {
      PATH: nodeFirst(),
      HOME: folder('home'),
      TMPDIR: folder('tmp'),
      STATE_DIR: folder('state'),
      S3_DATA_DIR: folder('s3'),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      EDGE_PORT: String(port),
      MINISTACK_ACCOUNT_ID: accountId,
      MINISTACK_REGION: region,
      LAMBDA_EXECUTOR: 'local',
      // listeners of their own, on fixed ports
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      AUTH: String(options.auth === true),
      ...options.handlerEnvironment,
    },
  })
  await untilHealthy(child, endpoint)
  return emulatorAt({
    endpoint,
    region,
    accountId,
    slowness: 1,
    accessKeyId,
    pid: child.pid,
    stop: () => child.stop(),
  })
}

/** An emulator that answers at `endpoint`, in the account that this access key means there. */
export function emulatorAt(
  at: Pick<Emulator, 'endpoint' | 'region' | 'accountId' | 'pid' | 'slowness' | 'stop' | 'deployed'> & {
    readonly accessKeyId: string
  },
): Emulator {
  const { accessKeyId, ...emulator } = at
  const { endpoint, region } = emulator
  const credentials = { accessKeyId, secretAccessKey: 'test' }
  return {
    ...emulator,
    client: { endpoint, region, credentials },
    env: () => ({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
  }
}

/** The PATH with this process's own Node before any other. */
export function nodeFirst(): string {
  const { PATH = '/usr/bin:/bin' } = process.env
  return [dirname(process.execPath), PATH].join(delimiter)
}

async function untilHealthy(child: Child, endpoint: string): Promise<void> {
  const isHealthy = async () => {
    const response = await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.ok
  }
  try {
    await untilReady(child, isHealthy, 30_000)
  } catch (error) {
    await child.stop()
    throw error
  }
}

/** EventBridge refused an event; the message names which and why. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused'
}

/** Hands events to the emulator's default bus, `aws.*` sources too, in AWS's own shape. */
export function eventPublisher(emulator: Emulator): (event: AwsEvent) => Promise<void> {
  const client = new EventBridgeClient(emulator.client)
  return async (event) => {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: event.source,
            DetailType: event.detailType,
            Time: event.time,
            Resources: [...event.resources],
            Detail: JSON.stringify(event.detail),
          },
        ],
      }),
    )
    const refused = Entries.find(({ ErrorCode }) => ErrorCode !== undefined)
    if (refused !== undefined)
      throw new EventRefused(`${event.detailType}: ${refused.ErrorCode} ${refused.ErrorMessage}`)
  }
}
