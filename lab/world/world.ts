import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import type { AutoScaling } from '../auto-scaling/auto-scaling.ts'
import type { AwsEvent } from '../auto-scaling/auto-scaling-types.ts'
import { type ApiGateway, startApiGateway } from '../emulator/api-gateway.ts'
import { type ControlEventLog, followControlEvents } from '../emulator/control-events.ts'
import type { Emulator } from '../emulator/emulator.ts'
import { defaultEmulator, type EmulatorChoice, prepareEmulator } from '../emulator/emulators.ts'
import { edgePlans, type ShortDeadline } from '../plan/fleet-plan.ts'
import type { Log } from '../programs/lab-cache.ts'
import type { KamailioRelease } from '../programs/program.ts'
import { provision } from '../programs/provision.ts'
import type { Mark } from '../referee/plot.ts'
import { type CallLedger, openLedger } from '../sip/call-ledger.ts'
import type { Edge } from '../sip/edge.ts'
import type { Interposed } from '../sip/interposed.ts'
import { Closing, together } from './closing.ts'
import { Machines } from './machines.ts'
import { makeRunDir } from './run-dir.ts'
import { warmUp } from './warm-up.ts'
import { deployApp, output, putParameters, startAws } from './world-aws.ts'
import {
  type Secrets,
  type SipSide,
  startAsteriskServer,
  startEdges,
  startServer,
  startSippServers,
} from './world-sip.ts'

export interface WorldOptions {
  readonly kamailio: KamailioRelease
  /** the AWS that it runs on; default: what LAB_EMULATOR names, else MiniStack */
  readonly emulator?: EmulatorChoice
  /** true: every call to the emulator is checked against its caller's role */
  readonly auth?: boolean
  readonly inFrontOf?: (edge: Edge) => Promise<Interposed | undefined>
  /**
   * between our functions and the emulator's DynamoDB, whose endpoint is known only when the emulator answers
   */
  readonly inFrontOfTable?: (endpoint: Promise<URL>) => Promise<Interposed>
  /**
   * true: our functions reach the edges only through what behaves like API Gateway, and sign for it (no
   * roles, no named endpoint)
   */
  readonly apiGateway?: boolean
  /** servers with a policy and a short deadline of their own */
  readonly deadlines?: readonly ShortDeadline[]
  readonly log: Log
}

/** What handlers sign with as long as no roles are checked. */
const handlerKey = { accessKeyId: '123456789012', secretAccessKey: 'test' }

/**
 * Everything that runs: real edges, media servers and callers, Auto Scaling, and our app on an emulated AWS.
 */
export interface World extends SipSide {
  readonly runDir: string
  readonly startedAt: number
  /** edge → the version that it answers */
  readonly kamailioVersions: Readonly<Record<string, string>>
  readonly secrets: Secrets
  readonly machines: Machines
  readonly ledger: CallLedger
  readonly autoScaling: AutoScaling
  readonly emulator: Emulator
  readonly outputs: Readonly<Record<string, string>>
  readonly publish: (event: AwsEvent) => Promise<void>
  readonly controlEvents: ControlEventLog
  /** between our functions and the edges, when asked for */
  readonly gateway: ApiGateway | undefined
  readonly marks: Mark[]
  /** of every command that was sent */
  readonly commandIds: Set<string>
  readonly log: Log
}

/**
 * Starts the world, hands it to `work`, and stops all of it whatever comes of that.
 * @throws what a part of it threw; the message names the log file to read
 */
export async function withWorld<T>(options: WorldOptions, work: (world: World) => Promise<T>): Promise<T> {
  const closing = new Closing()
  try {
    return await work(await startWorld(options, closing))
  } finally {
    await closing.all()
  }
}

async function startWorld(options: WorldOptions, closing: Closing): Promise<World> {
  const startedAt = Date.now()
  const { log, deadlines = [] } = options
  const runDir = makeRunDir()
  log(`files of this run: ${runDir}`)
  const { sipp, kamailio, asterisk, startEmulator } = await provisioned(options)
  const ledger = openLedger()
  closing.defer(() => ledger.close())
  const lab = { sipp, runDir, ledger, closing, log }
  const secrets = { rpc: newSecret(), nextRpc: newSecret(), asterisk: newSecret() }
  let machines: Machines | undefined
  const gateway = options.apiGateway ? await startGateway(runDir, closing) : undefined

  const [sippServers, { machine, server }, aws] = await together([
    startSippServers(lab, deadlines),
    startAsteriskServer(lab, asterisk, secrets.asterisk),
    startAws({
      startEmulator,
      runDir,
      closing,
      auth: options.auth === true,
      deadlines,
      ...(gateway && { edgeApi: gateway.endpoint }),
      ...(options.inFrontOfTable && { inFrontOfTable: options.inFrontOfTable }),
      onTerminate: async (instance) => machines?.switchOff(instance),
      log,
    }),
  ])
  const all = [...sippServers, machine]
  machines = new Machines(all, (planned, name, port) => startServer(lab, planned, name, port))
  await machines.register(aws.autoScaling)

  const [sip, outputs] = await together([
    startEdges(lab, kamailio, all, {
      ...secrets,
      endsCalls: deadlines.some(({ endCalls }) => endCalls !== undefined),
    }),
    deployApp(aws.emulator, {
      runDir,
      asteriskPort: Number(new URL(server.ariUrl).port),
      deadlines,
      log,
    }),
  ])
  for (const { name, rpcUrl } of sip.edges) gateway?.routes.set(name, rpcUrl)
  const parameters = await edgeParameters(sip.edges, options, closing)
  await putParameters(aws.emulator, parameters, secrets)
  const controlEvents = await followControlEvents(aws.emulator, output(outputs, 'EventBusName'))
  closing.defer(() => controlEvents.close())
  await warmUp(aws.emulator, outputs)
  log(`the app is deployed; all is up after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)
  return {
    ...sip,
    ...aws,
    runDir,
    startedAt,
    secrets,
    kamailioVersions: await versions(sip.edges),
    machines,
    ledger,
    outputs,
    controlEvents,
    gateway,
    marks: [],
    commandIds: new Set(),
    log,
  }
}

async function startGateway(runDir: string, closing: Closing): Promise<ApiGateway> {
  const logFile = join(runDir, 'edge-api.log')
  const gateway = await startApiGateway({ region: 'eu-central-1', key: handlerKey, logFile })
  closing.defer(() => gateway.close())
  return gateway
}

/** Nothing that looks like it is anywhere else, and an encoding changes it. */
function newSecret(): string {
  return `lab+${randomBytes(24).toString('hex')}/=`
}

async function provisioned({ kamailio: release, emulator = defaultEmulator(), log }: WorldOptions) {
  const [tools, startEmulator] = await together([
    provision({ kamailio: [release], asterisk: true, log }),
    prepareEmulator(emulator, log),
  ])
  const kamailio = tools.kamailio.get(release)
  const { sipp, asterisk } = tools
  if (kamailio === undefined || asterisk === undefined)
    throw new Error('provisioning brought less than was asked for')
  return { sipp, kamailio, asterisk, startEmulator }
}

async function edgeParameters(edges: readonly Edge[], options: WorldOptions, closing: Closing) {
  return Promise.all(
    edges.map(async (edge) => {
      const between = await options.inFrontOf?.(edge)
      if (between !== undefined) closing.defer(() => between.close())
      const planned = edgePlans.find(({ name }) => name === edge.name)
      return {
        name: edge.name,
        parameter: {
          // Behind a gateway nobody is told where the edge itself is.
          ...(!options.apiGateway && { url: between?.url ?? edge.rpcUrl }),
          restoresDialogs: planned?.restoresDialogs === true,
        },
      }
    }),
  )
}

async function versions(edges: readonly Edge[]): Promise<Record<string, string>> {
  const shown = await Promise.all(
    edges.map(async (edge) => [edge.name, z.string().parse(await edge.call('core.version', []))] as const),
  )
  return Object.fromEntries(shown)
}
