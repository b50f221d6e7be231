import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { afterEach } from 'vitest'
import { type AutoScaling, startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'
import type {
  AwsEvent,
  Group,
  Hook,
  Instance,
  LifecycleAction,
} from '../../lab/auto-scaling/auto-scaling-types.ts'

export const terminateHook: Hook = {
  name: 'drain',
  transition: 'terminating',
  heartbeatTimeoutSeconds: 30,
  defaultResult: 'CONTINUE',
  notificationMetadata: 'what the operator wrote',
}
export const launchHook: Hook = {
  ...terminateHook,
  name: 'admit',
  transition: 'launching',
  defaultResult: 'ABANDON',
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

export async function world(group: Partial<Group> = {}) {
  const events: AwsEvent[] = []
  const switchedOff: string[] = []
  const simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async (event) => void events.push(event),
    onTerminate: async (instance) => void switchedOff.push(instance.id),
  })
  simulator.createGroup({ name: 'media', hooks: [terminateHook], ...group })
  const client = new AutoScalingClient({
    endpoint: simulator.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  running.push(() => simulator.close())
  const typesOf = () => events.map(({ detailType }) => detailType)
  return { simulator, client, events, typesOf, switchedOff }
}

export async function inService(simulator: AutoScaling): Promise<Instance> {
  const { instance } = await simulator.launch({ group: 'media', privateIp: '10.0.1.20', hooked: false })
  return instance
}

export function only(actions: readonly LifecycleAction[]): LifecycleAction {
  const [action] = actions
  if (action === undefined || actions.length > 1)
    throw new Error(`one action expected, ${actions.length} found`)
  return action
}

export const address = { AutoScalingGroupName: 'media', LifecycleHookName: 'drain' }
