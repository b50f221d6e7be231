import { LifecycleActions } from './auto-scaling-actions.ts'
import { autoScalingApi } from './auto-scaling-api.ts'
import { type Activity, Groups, type LaunchRequest, type TerminateRequest } from './auto-scaling-groups.ts'
import { serveQueryApis } from './auto-scaling-query.ts'
import type { AwsEvent, Faults, Group, Instance, LifecycleAction } from './auto-scaling-types.ts'
import { ec2Api } from './ec2-api.ts'

export interface AutoScalingOptions {
  readonly region: string
  readonly accountId: string
  /** Hands one event to EventBridge. */
  readonly publish: (event: AwsEvent) => Promise<void>
  /**
   * Switches the machine off (SIGKILL) and resolves when it is gone; called once per termination, or stop
   * into the warm pool.
   */
  readonly onTerminate: (instance: Instance) => Promise<void>
}

/** Auto Scaling and EC2 in one loopback server, and the lab's hand on it. */
export interface AutoScaling {
  /** The value of AWS_ENDPOINT_URL_AUTO_SCALING and of AWS_ENDPOINT_URL_EC2. */
  readonly endpoint: string
  readonly faults: Faults
  createGroup(group: Group): void
  launch(request: LaunchRequest): Promise<Activity>
  terminate(instanceId: string, request?: TerminateRequest): Promise<Activity>
  /** Every machine since the start, terminated ones too. */
  instances(): readonly Instance[]
  /** Every lifecycle action since the start, oldest first. */
  actions(): readonly LifecycleAction[]
  /**
   * Stops all clocks and the server.
   * @throws AggregateError of what failed in the background (publish, onTerminate)
   */
  close(): Promise<void>
}

/**
 * Starts the simulator. It follows the Auto Scaling guide on lifecycle hooks: an action waits for its
 * hook's heartbeat timeout, each heartbeat restarts it up to the global maximum (min(48 h, 100 × timeout)),
 * then the default result counts; completing is not idempotent; a terminated instance's machine is really
 * switched off (`onTerminate`). Time is real, only shorter: hooks may have timeouts that AWS refuses.
 */
export async function startAutoScaling(options: AutoScalingOptions): Promise<AutoScaling> {
  const faults: Faults = {
    ignoreHeartbeats: false,
    endEarlyMs: undefined,
    contention: 0,
    refuseCompletionForMs: 0,
  }
  const failures: unknown[] = []
  const actions = new LifecycleActions(faults)
  const follow = (work: Promise<void>) => {
    work.catch((failure: unknown) => failures.push(failure))
  }
  const groups = new Groups({ ...options, actions, follow })
  const server = await serveQueryApis([
    autoScalingApi(options, groups, actions),
    ec2Api(options.accountId, options.region, groups),
  ])
  return {
    endpoint: server.endpoint,
    faults,
    createGroup: (group) => groups.create(group),
    launch: (request) => groups.launch(request),
    terminate: (instanceId, request) => groups.terminate(instanceId, request),
    instances: () => groups.instances(),
    actions: () => actions.history(),
    close: async () => {
      actions.close()
      await server.close()
      if (failures.length > 0)
        throw new AggregateError(failures, 'the Auto Scaling simulator could not finish its work')
    },
  }
}
