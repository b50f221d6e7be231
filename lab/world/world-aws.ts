import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import type { EdgeParameter } from '../../functions/contracts/config.ts'
import { edgeAccessEnvironment, simulatedAutoScaling } from '../../functions/contracts/names.ts'
import { type AutoScaling, startAutoScaling } from '../auto-scaling/auto-scaling.ts'
import type { AwsEvent, Instance } from '../auto-scaling/auto-scaling-types.ts'
import { deploy } from '../emulator/deploy.ts'
import { type Emulator, eventPublisher } from '../emulator/emulator.ts'
import type { StartEmulator } from '../emulator/emulators.ts'
import {
  asteriskGroup,
  asteriskPasswordParameter,
  edgesPath,
  hooks,
  hooksOf,
  patientGroup,
  patientHooks,
  rpcSecretParameter,
  type ShortDeadline,
  serverGroup,
  settingsFile,
} from '../plan/fleet-plan.ts'
import type { Log } from '../programs/lab-cache.ts'
import type { Interposed } from '../sip/interposed.ts'
import type { Closing } from './closing.ts'

export interface AwsSide {
  readonly autoScaling: AutoScaling
  readonly emulator: Emulator
  readonly publish: (event: AwsEvent) => Promise<void>
}

export interface AwsOptions {
  readonly startEmulator: StartEmulator
  readonly runDir: string
  readonly closing: Closing
  readonly auth: boolean
  /** the API through which the functions reach the edges, unless directly */
  readonly edgeApi?: string
  readonly inFrontOfTable?: (endpoint: Promise<URL>) => Promise<Interposed>
  readonly deadlines: readonly ShortDeadline[]
  readonly onTerminate: (instance: Instance) => Promise<void>
  readonly log: Log
}

/**
 * The Auto Scaling simulator with every group, and the emulator, which hands its address to every function.
 */
export async function startAws(options: AwsOptions): Promise<AwsSide> {
  let publish = (event: AwsEvent): Promise<void> =>
    Promise.reject(new Error(`${event.detailType} was to be published before the emulator was up`))
  const autoScaling = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: (event) => publish(event),
    onTerminate: options.onTerminate,
  })
  options.closing.defer(() => autoScaling.close())
  for (const name of [serverGroup, asteriskGroup])
    autoScaling.createGroup({ name, hooks, terminateHookAbandon: 'retain' })
  autoScaling.createGroup({ name: patientGroup, hooks: patientHooks, terminateHookAbandon: 'retain' })
  for (const deadline of options.deadlines)
    autoScaling.createGroup({
      name: deadline.server,
      hooks: hooksOf(deadline),
      terminateHookAbandon: 'retain',
    })
  const endpoint = Promise.withResolvers<URL>()
  const table = await options.inFrontOfTable?.(endpoint.promise)
  if (table) options.closing.defer(() => table.close())
  const emulator = await options.startEmulator({
    runDir: options.runDir,
    auth: options.auth,
    handlerEnvironment: {
      AWS_ENDPOINT_URL_AUTO_SCALING: autoScaling.endpoint,
      AWS_ENDPOINT_URL_EC2: autoScaling.endpoint,
      ...(options.edgeApi !== undefined && { [edgeAccessEnvironment.api]: options.edgeApi }),
      ...(table && { AWS_ENDPOINT_URL_DYNAMODB: table.url }),
    },
  })
  options.closing.defer(() => emulator.stop())
  endpoint.resolve(new URL(emulator.endpoint))
  publish = eventPublisher(emulator)
  options.log('the AWS emulator answers')
  return { autoScaling, emulator, publish }
}

/** Deploys our app as a user would, for this fleet. @returns the stack's outputs */
export async function deployApp(
  emulator: Emulator,
  options: {
    readonly runDir: string
    readonly asteriskPort: number
    readonly deadlines: readonly ShortDeadline[]
    readonly log: Log
  },
): Promise<Readonly<Record<string, string>>> {
  const { runDir, log } = options
  const settings = settingsFile(options.asteriskPort, options.deadlines)
  const config = join(runDir, 'dispatcher-control.json')
  writeFileSync(config, JSON.stringify(settings, null, 2))
  const stacks = await deploy(emulator, {
    runDir,
    outputsFile: join(runDir, 'outputs.json'),
    context: { config, [simulatedAutoScaling]: 'true' },
    log,
  })
  return stacks[settings.stackName] ?? {}
}

/** The value of one output. @throws Error that lists what there is */
export function output(outputs: Readonly<Record<string, string>>, name: string): string {
  const value = outputs[name]
  if (value === undefined)
    throw new Error(`the stack has no output ${name}; it has ${Object.keys(outputs).join(', ')}`)
  return value
}

/** What the app reads from SSM: its edges, and both secrets as SecureStrings. */
export async function putParameters(
  emulator: Emulator,
  edges: readonly { readonly name: string; readonly parameter: EdgeParameter }[],
  secrets: { readonly rpc: string; readonly asterisk: string },
): Promise<void> {
  const ssm = new SSMClient(emulator.client)
  const put = (Name: string, Value: string, Type: 'String' | 'SecureString') =>
    ssm.send(new PutParameterCommand({ Name, Value, Type, Overwrite: true }))
  await Promise.all([
    ...edges.map(({ name, parameter }) => put(`${edgesPath}/${name}`, JSON.stringify(parameter), 'String')),
    put(rpcSecretParameter, secrets.rpc, 'SecureString'),
    put(asteriskPasswordParameter, secrets.asterisk, 'SecureString'),
  ])
  ssm.destroy()
}
