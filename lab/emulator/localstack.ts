import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { freePort } from '../programs/free-port.ts'
import { type Child, startChild, untilReady } from '../programs/leash.ts'
import type { LocalStackProgram } from '../programs/localstack-program.ts'
import { type Emulator, type EmulatorOptions, emulatorAt, nodeFirst } from './emulator.ts'

export interface LocalStackOptions extends EmulatorOptions {
  /** A Python that has LocalStack (`localStackProgram`). */
  readonly localstack: LocalStackProgram
  /**
   * File with the results that Step Functions takes instead of calling a task's function (its
   * SFN_MOCK_CONFIG).
   */
  readonly mockedTasks?: string
}

/** LocalStack's free part knows no roles. */
export class NoRoleChecks extends Error {
  override readonly name = 'NoRoleChecks'
}

const region = 'eu-central-1'
/**
 * One Python process does all of it: nine drains at once would wait longer for it than their heartbeat
 * timeout.
 */
export const slowness = 10
// an access key of twelve digits is LocalStack's way to name the account
const accountId = '123456789012'

/**
 * Starts LocalStack on a free port of loopback, handlers as processes on the Node that runs the lab, DynamoDB
 * Local beside it. All that it writes stands below the run's folder. It takes about 7 s to stop.
 * @throws NoRoleChecks; ChildExited, ChildNotReady with the last lines of its log
 */
export async function startLocalStack(options: LocalStackOptions): Promise<Emulator> {
  if (options.auth === true)
    throw new NoRoleChecks(
      'LocalStack does not check roles: leave `auth` out, or choose the emulator MiniStack',
    )
  const { localstack, runDir } = options
  const port = await freePort('127.0.0.1')
  const endpoint = `http://127.0.0.1:${port}`
  const folder = (name: string) => {
    const path = join(runDir, 'localstack', name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const recipe = join(import.meta.dirname, 'localstack')
  const child = await startChild({
    name: 'localstack',
    argv: [...localstack.argv, join(recipe, 'launcher.py')],
    runDir,
    cwd: folder('.'),
    env: {
      PATH: nodeFirst(),
      HOME: folder('home'),
      TMPDIR: folder('tmp'),
      XDG_CACHE_HOME: folder('cache'),
      FILESYSTEM_ROOT: folder('root'),
      LANG: 'C.UTF-8',
      PYTHONPATH: [localstack.modules, recipe].join(delimiter),
      PYTHONPYCACHEPREFIX: localstack.bytecode,
      JAVA_HOME: localstack.javaHome,
      // else the JVM writes to /tmp/hsperfdata_<user>
      JAVA_TOOL_OPTIONS: `-XX:-UsePerfData -Djava.io.tmpdir=${folder('tmp')}`,
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      LOCALSTACK_HOST: `127.0.0.1:${port}`,
      SQS_ENDPOINT_STRATEGY: 'path',
      // it would take a machine that is a container itself for its own image
      OVERRIDE_IN_DOCKER: '0',
      // no DNS server, no telemetry, no certificate: nothing that leaves the machine
      DNS_ADDRESS: '0',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      DYNAMODB_IN_MEMORY: '1',
      // a queue is asked once a second otherwise, and every 10 s when it was empty for a while
      LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC: '0.1',
      LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC: '1',
      LAB_DYNAMODB_JARS: localstack.dynamodbJars,
      LAB_NODE: process.execPath,
      LAB_HANDLER_CACHE: folder('compiled'),
      LAB_HANDLER_ENVIRONMENT: JSON.stringify(options.handlerEnvironment ?? {}),
      ...(options.mockedTasks !== undefined && { SFN_MOCK_CONFIG: options.mockedTasks }),
    },
  })
  await untilHealthy(child, endpoint)
  return emulatorAt({
    endpoint,
    region,
    accountId,
    slowness,
    accessKeyId: accountId,
    pid: child.pid,
    stop: () => child.stop(20_000),
  })
}

async function untilHealthy(child: Child, endpoint: string): Promise<void> {
  const isHealthy = async () => {
    const response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.ok
  }
  try {
    await untilReady(child, isHealthy, 90_000)
  } catch (error) {
    await child.stop()
    throw error
  }
}
