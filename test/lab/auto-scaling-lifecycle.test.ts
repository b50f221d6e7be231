import {
  CompleteLifecycleActionCommand,
  RecordLifecycleActionHeartbeatCommand,
  ResourceContentionFault,
} from '@aws-sdk/client-auto-scaling'
import { describe, expect, test } from 'vitest'
import { address, inService, only, terminateHook, world } from './auto-scaling-world.ts'

describe('a lifecycle action', () => {
  test('is completed once: the second time there is none, by token and by instance', async () => {
    const { simulator, client } = await world()
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    const { token } = only(activity.actions)
    const complete = (by: { LifecycleActionToken: string } | { InstanceId: string }) =>
      client.send(
        new CompleteLifecycleActionCommand({ ...address, ...by, LifecycleActionResult: 'CONTINUE' }),
      )
    await complete({ LifecycleActionToken: token })
    await activity.done
    const refused = { name: 'ValidationError', $metadata: { httpStatusCode: 400 } }
    await expect(complete({ LifecycleActionToken: token })).rejects.toMatchObject({
      ...refused,
      message: `No active Lifecycle Action found with token ${token}`,
    })
    await expect(complete({ InstanceId: id })).rejects.toMatchObject({
      ...refused,
      message: `No active Lifecycle Action found with instance ID ${id}`,
    })
    expect(only(activity.actions).completions.map(({ by, answer }) => [by, answer])).toEqual([
      ['token', 'accepted'],
      ['token', 'ValidationError'],
      ['instance', 'ValidationError'],
    ])
  })

  test('that expired takes neither completion nor heartbeat', async () => {
    const { simulator, client } = await world({
      hooks: [{ ...terminateHook, heartbeatTimeoutSeconds: 0.05 }],
    })
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    const { token } = only(activity.actions)
    await activity.done
    const late = { ...address, LifecycleActionToken: token }
    const message = `No active Lifecycle Action found with token ${token}`
    await expect(
      client.send(new CompleteLifecycleActionCommand({ ...late, LifecycleActionResult: 'CONTINUE' })),
    ).rejects.toMatchObject({ name: 'ValidationError', message })
    await expect(client.send(new RecordLifecycleActionHeartbeatCommand(late))).rejects.toMatchObject({
      name: 'ValidationError',
      message,
    })
  })

  test('nobody started has an unknown token, and a stranger group or result is refused', async () => {
    const { client } = await world()
    const LifecycleActionToken = '87654321-4321-4321-4321-210987654321'
    const complete = (change: Partial<CompleteLifecycleActionCommand['input']>) =>
      client.send(
        new CompleteLifecycleActionCommand({
          ...address,
          LifecycleActionToken,
          LifecycleActionResult: 'CONTINUE',
          ...change,
        }),
      )
    await expect(complete({})).rejects.toMatchObject({
      name: 'ValidationError',
      message: `No active Lifecycle Action found with token ${LifecycleActionToken}`,
    })
    await expect(complete({ AutoScalingGroupName: 'stranger' })).rejects.toMatchObject({
      name: 'ValidationError',
    })
    await expect(complete({ LifecycleActionResult: 'MAYBE' })).rejects.toMatchObject({
      name: 'ValidationError',
    })
  })

  test('takes a heartbeat by token and by instance', async () => {
    const { simulator, client } = await world()
    const { id } = await inService(simulator)
    const action = only((await simulator.terminate(id)).actions)
    for (const by of [{ LifecycleActionToken: action.token }, { InstanceId: id }])
      await client.send(new RecordLifecycleActionHeartbeatCommand({ ...address, ...by }))
    expect(action.heartbeats).toMatchObject([{ ignored: false }, { ignored: false }])
  })

  test('of a hook with a long timeout ends after 48 h at the latest', async () => {
    const { simulator } = await world({ hooks: [{ ...terminateHook, heartbeatTimeoutSeconds: 7200 }] })
    const { id } = await inService(simulator)
    const action = only((await simulator.terminate(id)).actions)
    expect(action.deadlineAt - action.startedAt).toBe(48 * 3600 * 1000)
  })
})

describe('a planted fault', () => {
  test('ResourceContention refuses the next completions, and the action stays active', async () => {
    const { simulator, client } = await world()
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    const complete = () =>
      client.send(
        new CompleteLifecycleActionCommand({ ...address, InstanceId: id, LifecycleActionResult: 'CONTINUE' }),
      )
    simulator.faults.contention = 2
    await expect(complete()).rejects.toBeInstanceOf(ResourceContentionFault)
    await expect(complete()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
    await complete()
    await activity.done
    expect(only(activity.actions).completions.map(({ answer }) => answer)).toEqual([
      'ResourceContention',
      'ResourceContention',
      'accepted',
    ])
  })

  test('completing right after the event can be refused for a moment', async () => {
    const { simulator, client } = await world()
    simulator.faults.refuseCompletionForMs = 60_000
    const { id } = await inService(simulator)
    await simulator.terminate(id)
    await expect(
      client.send(
        new CompleteLifecycleActionCommand({ ...address, InstanceId: id, LifecycleActionResult: 'CONTINUE' }),
      ),
    ).rejects.toBeInstanceOf(ResourceContentionFault)
  })

  test('a deaf group answers heartbeats and expires all the same', async () => {
    const { simulator, client } = await world({ hooks: [{ ...terminateHook, heartbeatTimeoutSeconds: 1 }] })
    simulator.faults.ignoreHeartbeats = true
    const { id } = await inService(simulator)
    const action = only((await simulator.terminate(id)).actions)
    const { expiresAt } = action
    await client.send(new RecordLifecycleActionHeartbeatCommand({ ...address, InstanceId: id }))
    expect(action.expiresAt).toBe(expiresAt)
    expect(action.heartbeats).toMatchObject([{ ignored: true }])
  })

  test('an action that ends early continues by itself and says so', async () => {
    const { simulator, switchedOff } = await world()
    simulator.faults.endEarlyMs = 10
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    await activity.done
    expect(only(activity.actions).end).toMatchObject({ result: 'CONTINUE', cause: 'ended-early' })
    expect(switchedOff).toEqual([id])
  })
})
