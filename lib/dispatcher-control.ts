import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Construct } from 'constructs'
import * as z from 'zod'
import { type ControlConfig, type ControlConfigInput, controlConfig } from '../functions/contracts/config.ts'
import { environment } from '../functions/contracts/names.ts'
import { functionsPath } from './build.ts'
import { CommandQueue } from './command-queue.ts'
import { ControlFunction, type TimeBudgets, timeBudgets } from './control-function.ts'
import { DrainWorkflow, stateMachineArn } from './drain-workflow.ts'
import { directEdgeAccess, type EdgeAccess } from './edge-access.ts'
import { EventIntake } from './event-intake.ts'
import type { ConsumerProps, MessageQueue } from './message-queue.ts'
import { type Need, portPermissions } from './port-permissions.ts'
import { Store } from './store.ts'

export interface DispatcherControlProps {
  /** The groups, hooks and alarms that are ours, and the timers. */
  readonly control: ControlConfigInput
  /** Path of the SSM parameters that name the edges, one for each edge; without a slash at its end. */
  readonly edgesPath: string
  /** Name of the SecureString with the secret that the edges' JSON-RPC asks for. */
  readonly rpcSecretParameter: string
  /**
   * The KMS key of the SecureStrings.
   * @default - the account's own key for SSM (`aws/ssm`), which needs no permission
   */
  readonly parameterKeyArn?: string
  /**
   * How the functions reach the edges.
   * @default - directly, from no VPC
   */
  readonly edgeAccess?: EdgeAccess
  /**
   * Name of the state machine, unique in the region.
   * @default - `<stack name>-drain`
   */
  readonly stateMachineName?: string
  /**
   * What becomes of the table and the logs when the stack goes. Other than with DESTROY, the table has deletion protection.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
  /**
   * The folder with the bundled functions.
   * @default - dist/functions, as `npm run build` writes it
   */
  readonly functionsPath?: string
}

/** Each function, by its handler's file name: its time budget, and what its use case needs. */
const functions = {
  'lifecycle-events': {
    budget: 'event',
    needs: ['store', 'fleet', 'instances', 'complete', 'workflows', 'events'],
  },
  'alarm-events': { budget: 'event', needs: ['store', 'fleet', 'instances', 'workflows', 'events'] },
  commands: { budget: 'command', needs: ['store', 'fleet', 'instances', 'workflows', 'events'] },
  'begin-drain': { budget: 'step', needs: ['store', 'fleet', 'instances', 'heartbeat', 'events'] },
  'observe-drain': {
    budget: 'step',
    needs: ['store', 'fleet', 'instances', 'heartbeat', 'mediaServers', 'workflows', 'events'],
  },
  'complete-drain': { budget: 'step', needs: ['store', 'heartbeat', 'complete', 'terminate', 'events'] },
  'retire-drain': {
    budget: 'step',
    needs: ['store', 'fleet', 'instances', 'mediaServers', 'workflows', 'events'],
  },
} as const satisfies Record<string, { readonly budget: keyof TimeBudgets; readonly needs: readonly Need[] }>
type Handler = keyof typeof functions

/** Every function, by its handler's file name. */
export const handlerNames = Object.keys(functions) as readonly Handler[]

/**
 * The control plane of one region's fleet: three queues, seven functions, the drain workflow and one table.
 * @throws Error at synth, naming what is wrong with the configuration.
 */
export class DispatcherControl extends Construct {
  readonly commands: CommandQueue
  readonly events: EventIntake
  readonly workflow: DrainWorkflow
  readonly store: Store
  /** where our own events are published */
  readonly eventBus: EventBus

  constructor(scope: Construct, id: string, props: DispatcherControlProps) {
    super(scope, id)
    const control = parseControl(props.control)
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN
    const stateMachineName = props.stateMachineName ?? `${Stack.of(this).stackName}-drain`
    const edgeAccess = props.edgeAccess ?? directEdgeAccess()
    const budgets = timeBudgets(control.timers)

    this.store = new Store(this, 'Store', { removalPolicy })
    this.eventBus = new EventBus(this, 'Events')
    this.events = new EventIntake(this, 'Intake', { control, functionTimeout: budgets.event })
    this.commands = new CommandQueue(this, 'Commands', { functionTimeout: budgets.command })

    const permissions = portPermissions(this, {
      ...props,
      control,
      stateMachineName,
      store: this.store,
      eventBus: this.eventBus,
    })
    const shared = {
      [environment.config]: environmentConfig(control),
      [environment.table]: this.store.table.tableName,
      [environment.edgesPath]: props.edgesPath,
      [environment.rpcSecretParameter]: props.rpcSecretParameter,
      [environment.eventBus]: this.eventBus.eventBusName,
      [environment.stateMachine]: stateMachineArn(this, stateMachineName),
    }
    const make = (
      constructId: string,
      handler: Handler,
      own: Record<string, string> = {},
    ): ControlFunction => {
      const { budget, needs }: { budget: keyof TimeBudgets; needs: readonly Need[] } = functions[handler]
      const made = new ControlFunction(this, constructId, {
        handler,
        functionsPath: props.functionsPath ?? functionsPath,
        timeout: budgets[budget],
        environment: { ...shared, ...own },
        ...(needs.includes('fleet') && { edgeAccess }),
        removalPolicy,
      })
      for (const permission of needs.flatMap((need) => permissions[need])) made.allow(permission)
      return made
    }
    const consume = (constructId: string, handler: Handler, from: MessageQueue, how: ConsumerProps): void => {
      const own = {
        [environment.queue]: from.queue.queueUrl,
        [environment.deadLetterQueue]: from.deadLetters.queueUrl,
      }
      from.consumedBy(make(constructId, handler, own), how)
    }
    consume('OnLifecycleEvents', 'lifecycle-events', this.events.lifecycleEvents, {
      batchSize: 5,
      maxConcurrency: 10,
    })
    consume('OnAlarmEvents', 'alarm-events', this.events.alarmEvents, { batchSize: 5, maxConcurrency: 5 })
    // One at a time: a batch of a FIFO queue is worked off in order, and its later commands would run out of time.
    consume('OnCommands', 'commands', this.commands, { batchSize: 1, maxConcurrency: 10 })

    this.workflow = new DrainWorkflow(this, 'Drain', {
      name: stateMachineName,
      begin: make('BeginDrain', 'begin-drain'),
      observe: make('ObserveDrain', 'observe-drain'),
      complete: make('CompleteDrain', 'complete-drain'),
      retire: make('RetireDrain', 'retire-drain'),
    })
  }
}

function parseControl(input: ControlConfigInput): ControlConfig {
  const parsed = controlConfig.safeParse(input)
  if (parsed.success) return parsed.data
  throw new Error(`the control configuration is wrong:\n${z.prettifyError(parsed.error)}`)
}

/** Lambda allows 4 KB for all of a function's environment; the other variables are kept within the rest. */
const longestConfig = 3072

function environmentConfig(control: ControlConfig): string {
  const json = JSON.stringify(control)
  const bytes = Buffer.byteLength(json)
  if (bytes <= longestConfig) return json
  throw new Error(
    `the control configuration has ${bytes} bytes as JSON, a function's environment has room for ${longestConfig}: name fewer groups and alarms, and deploy the others in a second stack`,
  )
}
