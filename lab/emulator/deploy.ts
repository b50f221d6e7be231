import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm'
import * as z from 'zod'
import type { Log } from '../programs/lab-cache.ts'
import { runToEnd } from '../programs/leash.ts'
import { type Emulator, nodeFirst } from './emulator.ts'

export interface DeployOptions {
  /** Logs and the cloud assembly go here, so that two labs at once don't meet. */
  readonly runDir: string
  /** Where `cdk deploy` writes the stacks' outputs. */
  readonly outputsFile: string
  /** The app's context, as `-c key=value`. */
  readonly context: Readonly<Record<string, string>>
  /** The folder with cdk.json; default: this project. */
  readonly appDir?: string
  readonly log: Log
}

const outputs = z.record(z.string(), z.record(z.string(), z.string()))
/** Stack → output → value. */
export type Outputs = z.output<typeof outputs>

const bootstrapTimeoutMs = 180_000
const deployTimeoutMs = 240_000

/**
 * Deploys the app with the very commands that a user would run: `cdk bootstrap`, unless it is done already,
 * and `cdk deploy`.
 * @throws ChildExited with the last lines of cdk's own output, also after 240 s
 */
export async function deploy(emulator: Emulator, options: DeployOptions): Promise<Outputs> {
  const cdk = async (name: string, argv: readonly string[], timeoutMs: number) => {
    const startedAt = Date.now()
    await runToEnd(
      {
        name: `cdk-${name}`,
        argv: ['npx', '--no-install', 'cdk', name, '--no-notices', ...argv],
        runDir: options.runDir,
        cwd: options.appDir ?? join(import.meta.dirname, '../..'),
        env: {
          PATH: nodeFirst(),
          HOME: options.runDir,
          // what cdk leaves there when it is killed goes with the run
          TMPDIR: options.runDir,
          ...emulator.env(),
          CI: 'true',
          CDK_DISABLE_CLI_TELEMETRY: 'true',
          CDK_DISABLE_VERSION_CHECK: '1',
          // npm warns of a package's engines on each call where the machine's own Node is older
          npm_config_loglevel: 'error',
        },
      },
      timeoutMs,
    )
    options.log(`cdk ${name}: done (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`)
  }
  // With an environment named, bootstrap has no use for the app; without '' it would build and synthesize it
  // all the same.
  if (!(await isBootstrapped(emulator)))
    await cdk(
      'bootstrap',
      ['--app', '', `aws://${emulator.accountId}/${emulator.region}`],
      bootstrapTimeoutMs,
    )
  const context = Object.entries(options.context).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  await cdk(
    'deploy',
    [
      ...['--all', '--require-approval', 'never', '--progress', 'events'],
      ...['--output', join(options.runDir, 'cdk.out'), '--outputs-file', options.outputsFile],
      ...context,
    ],
    deployTimeoutMs,
  )
  const stacks = outputs.parse(JSON.parse(readFileSync(options.outputsFile, 'utf8')))
  await emulator.deployed?.(Object.keys(stacks))
  return stacks
}

async function isBootstrapped(emulator: Emulator): Promise<boolean> {
  try {
    await new SSMClient(emulator.client).send(
      new GetParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }),
    )
    return true
  } catch (error) {
    if (error instanceof ParameterNotFound) return false
    throw error
  }
}
