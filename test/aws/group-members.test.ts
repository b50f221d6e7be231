import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { afterAll, beforeAll, describe } from 'vitest'
import { createGroupMembers } from '../../functions/aws/group-members.ts'
import { createLifecycleActions } from '../../functions/aws/lifecycle-actions.ts'
import { type AutoScaling, startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'
import type { Hook } from '../../lab/auto-scaling/auto-scaling-types.ts'
import { groupMembersContract } from '../port-contracts/group-members.ts'

const hook: Hook = {
  name: 'drain',
  transition: 'terminating',
  heartbeatTimeoutSeconds: 3600,
  defaultResult: 'ABANDON',
}

let simulator: AutoScaling
let client: AutoScalingClient
beforeAll(async () => {
  simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async () => undefined,
    onTerminate: async () => undefined,
  })
  for (const name of ['media', 'other'])
    simulator.createGroup({
      name,
      hooks: [hook, { ...hook, name: 'admit', transition: 'launching' }],
      terminateHookAbandon: 'retain',
    })
  client = new AutoScalingClient({
    endpoint: simulator.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
})
afterAll(async () => {
  client.destroy()
  await simulator.close()
})

async function arrive(group: string, state: string): Promise<string> {
  const hooked = state === 'pending-wait'
  const { instance } = await simulator.launch({ group, privateIp: '10.0.9.1', hooked })
  const terminates = state === 'terminating-wait' || state === 'retained'
  const activity = terminates ? await simulator.terminate(instance.id) : undefined
  if (state === 'retained') {
    await createLifecycleActions(client).complete(
      { group, hook: 'drain', instanceId: instance.id },
      'ABANDON',
    )
    await activity?.done
  }
  return instance.id
}

describe('over the SDK', () => {
  groupMembersContract(() => ({
    port: createGroupMembers(client),
    arrive,
    async leave({ group, instanceId, state }) {
      const actions = createLifecycleActions(client)
      if (state === 'retained') await actions.terminate(instanceId)
      else {
        const its = state === 'pending-wait' ? 'admit' : 'drain'
        await actions.complete({ group, hook: its, instanceId }, 'CONTINUE')
      }
    },
  }))
})
