import { randomBytes, randomUUID } from 'node:crypto'
import type { LifecycleActions } from './auto-scaling-actions.ts'
import { activityEvent, lifecycleActionEvent, type Move, type Region } from './auto-scaling-events.ts'
import { ApiError } from './auto-scaling-query.ts'
import type {
  AwsEvent,
  Delivery,
  Ec2State,
  Group,
  Instance,
  LifecycleAction,
  LifecycleResult,
  LifecycleState,
  Transition,
} from './auto-scaling-types.ts'

export interface LaunchRequest {
  readonly group: string
  readonly privateIp: string
  readonly secondaryIps?: readonly string[]
  readonly ipv6?: string
  readonly publicIp?: string
  readonly privateDnsName?: string
  readonly tags?: Readonly<Record<string, string>>
  /** false: in service at once, without hooks and events, as one launched before the hooks were made. */
  readonly hooked?: boolean
  readonly deliver?: Delivery
}

export interface TerminateRequest {
  /** Where the instance goes; into the warm pool it is stopped and keeps its id and address. Default EC2. */
  readonly destination?: 'EC2' | 'WarmPool'
  readonly deliver?: Delivery
}

/** One launch or termination under way. */
export interface Activity {
  readonly instance: Instance
  /** One per hook; each has its own token and event. */
  readonly actions: readonly LifecycleAction[]
  /**
   * Resolves when the instance has come to rest: InService, Terminated, Terminating:Retained or
   * Warmed:Stopped.
   */
  readonly done: Promise<void>
}

export interface Surroundings extends Region {
  readonly actions: LifecycleActions
  readonly publish: (event: AwsEvent) => Promise<void>
  readonly onTerminate: (instance: Instance) => Promise<void>
  /** Follows work that goes on behind an answered call, so that its failure is never lost. */
  readonly follow: (work: Promise<void>) => void
}

type MutableInstance = { -readonly [K in keyof Instance]: Instance[K] }

/** The groups, their instances, and what happens to an instance from its launch to its end. */
export class Groups {
  readonly #groups = new Map<string, Group>()
  readonly #instances = new Map<string, MutableInstance>()
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  create(group: Group): void {
    this.#groups.set(group.name, group)
  }

  /** @throws ApiError ValidationError when there is none of that name */
  change(name: string, changes: Partial<Omit<Group, 'name'>>): void {
    this.#groups.set(name, { ...this.group(name), ...changes })
  }

  all(): readonly Group[] {
    return [...this.#groups.values()]
  }

  /** Every machine that EC2 still knows; terminated ones too, for as long as the simulator runs. */
  instances(): readonly Instance[] {
    return [...this.#instances.values()]
  }

  /** @throws ApiError ValidationError when there is none of that name */
  group(name: string): Group {
    const group = this.#groups.get(name)
    if (group === undefined)
      throw new ApiError('ValidationError', `AutoScalingGroup name not found - ${name}`, 400)
    return group
  }

  /** @throws ApiError ValidationError when there is none of that id */
  instance(id: string): Instance {
    return this.#find(id)
  }

  /** Scale-out. Resolves when the launch hooks' events are handed over. */
  async launch(request: LaunchRequest): Promise<Activity> {
    const group = this.group(request.group)
    const id = `i-${randomBytes(9).toString('hex').slice(0, 17)}`
    const instance: MutableInstance = {
      id,
      group: group.name,
      // EC2 shows when to the second
      launchTime: new Date(Math.floor(Date.now() / 1000) * 1000),
      privateIp: request.privateIp,
      secondaryIps: request.secondaryIps ?? [],
      ipv6: request.ipv6,
      publicIp: request.publicIp,
      privateDnsName: request.privateDnsName ?? this.#dnsName(request.privateIp),
      tags: { 'aws:autoscaling:groupName': group.name, ...request.tags },
      lifecycleState: 'Pending',
      ec2State: 'running',
    }
    this.#instances.set(id, instance)
    if (request.hooked === false) {
      instance.lifecycleState = 'InService'
      return { instance, actions: [], done: Promise.resolve() }
    }
    return this.#run(
      instance,
      'launching',
      { origin: 'EC2', destination: 'AutoScalingGroup' },
      request.deliver,
    )
  }

  /**
   * Scale-in. Resolves when the terminate hooks' events are handed over. A retained instance goes at once,
   * without its hooks [not documented by AWS].
   * @throws ApiError ValidationError when there is no such instance, ScalingActivityInProgress when it is on
   * its way already
   */
  async terminate(id: string, request: TerminateRequest = {}): Promise<Activity> {
    const instance = this.#find(id)
    const move: Move = { origin: 'AutoScalingGroup', destination: request.destination ?? 'EC2' }
    if (instance.lifecycleState === 'Terminating:Retained') {
      const done = this.#finish(instance, move, new Date())
      this.#around.follow(done)
      return { instance, actions: [], done }
    }
    if (instance.lifecycleState !== 'InService')
      throw new ApiError(
        'ScalingActivityInProgress',
        `The instance ${id} is in ${instance.lifecycleState} and can't be terminated now.`,
        400,
      )
    return this.#run(instance, 'terminating', move, request.deliver)
  }

  async #run(
    instance: MutableInstance,
    transition: Transition,
    move: Move,
    deliver: Delivery = 'once',
  ): Promise<Activity> {
    const startedAt = new Date()
    const launching = transition === 'launching'
    const hooks = this.group(instance.group).hooks.filter((hook) => hook.transition === transition)
    if (hooks.length > 0) instance.lifecycleState = launching ? 'Pending:Wait' : 'Terminating:Wait'
    else instance.lifecycleState = launching ? 'Pending' : 'Terminating'
    const actions = hooks.map((hook) => this.#around.actions.start(instance, hook))
    const done = this.#proceed(instance, transition, move, actions, startedAt)
    this.#around.follow(done)
    for (const action of actions) await this.#deliver(action, move, deliver)
    return { instance, actions, done }
  }

  async #deliver(action: LifecycleAction, move: Move, deliver: Delivery): Promise<void> {
    const event = lifecycleActionEvent(this.#around, action, move, new Date(action.startedAt))
    const times = { never: 0, once: 1, twice: 2 }[deliver]
    for (let n = 0; n < times; n++) {
      this.#around.actions.published(action.token, Date.now())
      await this.#around.publish(event)
    }
  }

  async #proceed(
    instance: MutableInstance,
    transition: Transition,
    move: Move,
    actions: readonly LifecycleAction[],
    startedAt: Date,
  ): Promise<void> {
    const result = await this.#outcome(instance, actions)
    if (transition === 'terminating') {
      const retain = this.group(instance.group).terminateHookAbandon === 'retain'
      if (result === 'ABANDON' && retain) instance.lifecycleState = 'Terminating:Retained'
      else await this.#finish(instance, move, startedAt)
      return
    }
    if (result === 'ABANDON') {
      await this.#finish(instance, { origin: 'AutoScalingGroup', destination: 'EC2' }, startedAt)
      return
    }
    instance.lifecycleState = 'InService'
    await this.#publishEnd(instance, 'launching', move, startedAt)
  }

  /** CONTINUE when every hook's result is that; the first ABANDON ends the other hooks' actions. */
  async #outcome(instance: Instance, actions: readonly LifecycleAction[]): Promise<LifecycleResult> {
    const ends = await Promise.all(
      actions.map(async (action) => {
        const end = await action.ended
        if (end.result === 'ABANDON') this.#around.actions.endOthers(instance.id)
        return end
      }),
    )
    return ends.some(({ result }) => result === 'ABANDON') ? 'ABANDON' : 'CONTINUE'
  }

  async #finish(instance: MutableInstance, move: Move, startedAt: Date): Promise<void> {
    const stopped = move.destination === 'WarmPool'
    set(instance, 'Terminating:Proceed', stopped ? 'stopping' : 'shutting-down')
    await this.#around.onTerminate(instance)
    set(instance, stopped ? 'Warmed:Stopped' : 'Terminated', stopped ? 'stopped' : 'terminated')
    await this.#publishEnd(instance, 'terminating', move, startedAt)
  }

  #publishEnd(instance: Instance, transition: Transition, move: Move, startedAt: Date): Promise<void> {
    const group = this.group(instance.group)
    const activity = { id: randomUUID(), transition, instance, group, startedAt }
    return this.#around.publish(activityEvent(this.#around, activity, move, new Date()))
  }

  #find(id: string): MutableInstance {
    const instance = this.#instances.get(id)
    if (instance === undefined || instance.lifecycleState === 'Terminated')
      throw new ApiError(
        'ValidationError',
        `Instance Id not found - No managed instance found for instance ID: ${id}`,
        400,
      )
    return instance
  }

  #dnsName(ip: string): string {
    return `ip-${ip.replaceAll('.', '-')}.${this.#around.region}.compute.internal`
  }
}

function set(instance: MutableInstance, lifecycleState: LifecycleState, ec2State: Ec2State): void {
  instance.lifecycleState = lifecycleState
  instance.ec2State = ec2State
}
