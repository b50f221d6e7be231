import { Annotations, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling'
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch'
import { EventBus } from 'aws-cdk-lib/aws-events'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { AlarmConfig, ControlConfigInput, GroupConfig } from '../functions/contracts/config.ts'
import type { EdgeTlsParameters } from '../functions/contracts/edge-tls.ts'
import { edgeAccessEnvironment, environment } from '../functions/contracts/names.ts'
import type { SettleRequest } from '../functions/contracts/settle-request.ts'
import { CommandQueue } from './command-queue.ts'
import { type ControlFunction, timeBudgets } from './control-function.ts'
import { ControlMetrics } from './control-metrics.ts'
import { DrainWorkflow, stateMachineArn } from './drain-workflow.ts'
import type { EdgeAccess } from './edge-access.ts'
import { checkedEdgeTls, type EdgeTlsProps } from './edge-tls.ts'
import { EventIntake } from './event-intake.ts'
import { FunctionMaker } from './function-maker.ts'
import { functionsPath } from './functions-path.ts'
import { GrowingControl } from './growing-control.ts'
import type { HandlerName } from './handlers.ts'
import { addHooks, type ManageOptions, noteNamedGroup } from './lifecycle-hooks.ts'
import type { ConsumerProps, MessageQueue } from './message-queue.ts'
import { MinuteSchedule } from './minute-schedule.ts'
import { People } from './people.ts'
import {
  alarmPermissions,
  groupPermissions,
  portPermissions,
  type SecretParameters,
  settlesPermissions,
} from './port-permissions.ts'
import { Store } from './store.ts'

export interface DrainOnAlarmOptions {
  /**
   * An instance id or a destination.
   * @default - what the alarm's contributor, tag or dimension names
   */
  readonly target?: NonNullable<AlarmConfig['target']>
}

export interface DispatcherControlProps {
  /**
   * The groups, hooks and alarms that are ours by name, and the timers. More are added with `manage` and
   * `drainOnAlarm`; a group that is named here has its hooks from somebody else.
   */
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
   * How the settle function reaches the edges: `VpcLinkAccess`, `RelayAccess` or `directEdgeAccess`. There is
   * no default, since it would have to know the network.
   */
  readonly edgeAccess: EdgeAccess
  /**
   * Our side of TLS to the edges that have an `https` url. Not with a VPC link.
   * @default - Node's own CAs, and no client certificate
   */
  readonly edgeTls?: EdgeTlsProps
  /**
   * Name of the state machine, unique in the region.
   * @default - `<stack name>-drain`
   */
  readonly stateMachineName?: string
  /**
   * By what name people find this deployment: `kdc --stack <name>`. It is part of a parameter's name, and so
   * unique in the region; two of these constructs in one stack need one each.
   * @default - the stack's name
   */
  readonly kdcName?: string
  /**
   * What becomes of the table and the logs when the stack goes. Other than with DESTROY, the table has
   * deletion protection.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
  /**
   * The folder with the bundled functions.
   * @default - dist/functions, as `npm run build` writes it
   */
  readonly functionsPath?: string
}

/**
 * The control plane of one region's fleet: three queues, nine functions of which one reaches the edges, the
 * drain workflow and one table.
 * @throws Error at synth, naming what is wrong with the configuration.
 */
export class DispatcherControl extends ControlMetrics {
  readonly commands: CommandQueue
  readonly events: EventIntake
  readonly workflow: DrainWorkflow
  readonly store: Store
  /** where our own events are published */
  readonly eventBus: EventBus
  /** by what people find it, and two policies for them */
  readonly people: People
  /** Every function by its handler's file name, to set what this construct has no option for. */
  readonly functions: Readonly<Record<HandlerName, LambdaFunction>>
  /** These and the edge access' own, for who watches them. */
  readonly watched: Readonly<Record<string, IFunction>>
  readonly schedules: Readonly<Record<'settle' | 'reconcile' | 'sweep', MinuteSchedule>>
  private readonly control: GrowingControl
  private readonly functionMaker: FunctionMaker
  private readonly parameters: SecretParameters

  constructor(scope: Construct, id: string, props: DispatcherControlProps) {
    super(scope, id)
    this.control = new GrowingControl(props.control)
    this.parameters = props
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN
    const stateMachineName = props.stateMachineName ?? `${Stack.of(this).stackName}-drain`
    const budgets = timeBudgets(this.control.current.timers)
    const edgeTls = checkedEdgeTls(props.edgeTls, props.edgeAccess)
    const forEdges = {
      ...props.edgeAccess.environment,
      ...(edgeTls && { [edgeAccessEnvironment.tls]: JSON.stringify(edgeTls) }),
    }

    this.store = new Store(this, 'Store', { removalPolicy })
    this.eventBus = new EventBus(this, 'Events')
    this.events = new EventIntake(this, 'Intake', { functionTimeout: budgets.message })
    this.events.addEdgeList(props.edgesPath)
    this.commands = new CommandQueue(this, 'Commands', { functionTimeout: budgets.message })

    const permissions = portPermissions(this, {
      ...props,
      edgeTls,
      stateMachineName,
      store: this.store,
      eventBus: this.eventBus,
    })
    const shared = {
      [environment.config]: this.control.json(this, forEdges),
      [environment.table]: this.store.table.tableName,
      [environment.eventBus]: this.eventBus.eventBusName,
    }
    this.functionMaker = new FunctionMaker(this, {
      functionsPath: props.functionsPath ?? functionsPath,
      ...{ budgets, service: this.service, environment: shared, permissions, removalPolicy },
    })
    const settle = this.makeSettle(props, edgeTls, stateMachineName)
    permissions.settles = settlesPermissions(settle.function)
    const ofOthers = {
      [environment.settle]: settle.function.functionName,
      [environment.stateMachine]: stateMachineArn(this, stateMachineName),
    }
    const queued = this.makeConsumers(ofOthers)
    const steps = {
      // Its id is a former name's: executions that run while it is deployed know its ARN.
      look: this.functionMaker.make('ObserveDrain', 'look', ofOthers),
      complete: this.functionMaker.make('CompleteDrain', 'complete-drain', ofOthers),
      retire: this.functionMaker.make('RetireDrain', 'retire-drain', ofOthers),
    }
    const reconcile = this.functionMaker.make('Reconcile', 'reconcile', ofOthers)
    const sweep = this.functionMaker.make('Sweep', 'sweep', ofOthers)
    this.schedules = this.makeSchedules({ settle, reconcile, sweep })
    this.workflow = new DrainWorkflow(this, 'Drain', { name: stateMachineName, ...steps })
    this.functions = {
      settle: settle.function,
      ...queued,
      look: steps.look.function,
      'complete-drain': steps.complete.function,
      'retire-drain': steps.retire.function,
      reconcile: reconcile.function,
      sweep: sweep.function,
    }
    this.people = this.makePeople(props, stateMachineName)
    this.watched = { ...this.functions, ...props.edgeAccess.functions }
    for (const group of this.control.current.groups) {
      this.letIn(group)
      noteNamedGroup(this, group)
    }
    for (const alarm of this.control.current.alarms) this.letInAlarm(alarm)
  }

  private makeSettle(
    { edgesPath, rpcSecretParameter, edgeAccess }: DispatcherControlProps,
    edgeTls: EdgeTlsParameters | undefined,
    stateMachineName: string,
  ): ControlFunction {
    const own = {
      [environment.edgesPath]: edgesPath,
      [environment.rpcSecretParameter]: rpcSecretParameter,
      [environment.stateMachine]: stateMachineArn(this, stateMachineName),
      ...(edgeTls && { [edgeAccessEnvironment.tls]: JSON.stringify(edgeTls) }),
    }
    // A whole CPU: the lists of 50 edges with 1,000 destinations each are 20 MB, to be read within the RPC
    // timeout.
    return this.functionMaker.make('Settle', 'settle', own, { edgeAccess, memoryMegabytes: 1769 })
  }

  private makeConsumers(own: Readonly<Record<string, string>>) {
    const { lifecycleEvents, alarmEvents } = this.events
    const consume = (id: string, handler: HandlerName, from: MessageQueue, how: ConsumerProps) =>
      this.functionMaker.consume(id, handler, from, how, own)
    return {
      'lifecycle-events': consume('OnLifecycleEvents', 'lifecycle-events', lifecycleEvents, {
        batchSize: 5,
        maxConcurrency: 10,
      }),
      'alarm-events': consume('OnAlarmEvents', 'alarm-events', alarmEvents, {
        batchSize: 5,
        maxConcurrency: 5,
      }),
      // One at a time: a batch of a FIFO queue is worked off in order, and its later commands would run out
      // of time.
      commands: consume('OnCommands', 'commands', this.commands, { batchSize: 1, maxConcurrency: 10 }),
    }
  }

  private makePeople({ kdcName, edgesPath }: DispatcherControlProps, stateMachineName: string): People {
    const path = this.node.scopes.slice(Stack.of(this).node.scopes.length)
    return new People(this, 'People', {
      name: kdcName ?? Stack.of(this).stackName,
      ...{ store: this.store, commands: this.commands, events: this.events, eventBus: this.eventBus },
      stateMachineArn: stateMachineArn(this, stateMachineName),
      edgesPath,
      timers: this.control.current.timers,
      schedules: Object.values(this.schedules),
      settle: this.functions.settle,
      mappings: this.functionMaker.mappings,
      prefix: path.map(({ node }) => node.id.replaceAll(/[^A-Za-z0-9]/g, '')).join(''),
    })
  }

  private makeSchedules(called: Readonly<Record<'settle' | 'reconcile' | 'sweep', ControlFunction>>) {
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(1) }
    return {
      settle: new MinuteSchedule(this, 'SettleSchedule', {
        called: called.settle,
        input: { kind: 'minute' } satisfies SettleRequest,
        // What others ask for comes once. Older than this, the minutes since have done it.
        retryAttempts: 2,
        maxEventAge: Duration.minutes(10),
      }),
      reconcile: new MinuteSchedule(this, 'Schedule', { called: called.reconcile, ...once }),
      sweep: new MinuteSchedule(this, 'SweepSchedule', { called: called.sweep, ...once }),
    }
  }

  /**
   * Drains the group's instances before they go: puts our hooks on it, with the events and permissions that
   * they need. An imported group can be managed too. Instances that a group launches before its hooks exist
   * are not held back.
   * @throws Error where the options don't fit together, naming each problem
   */
  manage(group: IAutoScalingGroup, options: ManageOptions): void {
    // Only whoever can work an event off may be sent one.
    const after = [this.events, this.commands, this.workflow, ...this.functionMaker.made.values()]
    const added = addHooks(this, group, options, after)
    this.control.add({ groups: [added] })
    for (const each of this.control.current.groups.slice(-1)) this.letIn(each)
  }

  /**
   * Drains the alarm's server while it is in ALARM.
   * @throws Error where the alarm is ours already
   */
  drainOnAlarm(alarm: IAlarm, options: DrainOnAlarmOptions = {}): void {
    this.control.add({ alarms: [{ name: alarm.alarmName, ...options }] })
    for (const each of this.control.current.alarms.slice(-1)) this.letInAlarm(each)
  }

  /** Lets somebody send commands (docs/commands.md). */
  grantSendCommands(grantee: IGrantable): Grant {
    return this.commands.grantSend(grantee)
  }

  private letIn(group: GroupConfig): void {
    this.events.addGroup(group)
    this.functionMaker.allow(groupPermissions(this, group, this.parameters))
  }

  private letInAlarm(alarm: AlarmConfig): void {
    const { floors, atOnce } = this.control.current.clearance
    if (floors.length === 0 && atOnce === undefined)
      Annotations.of(this).addWarningV2(
        'dispatcher-control:unbounded-alarms',
        'alarms may drain every server at once: set control.clearance.floors or control.clearance.atOnce, which have what is too much wait',
      )
    this.events.addAlarm(alarm)
    this.functionMaker.allow(alarmPermissions(this, alarm))
  }
}
