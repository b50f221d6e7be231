import {
  CompleteLifecycleActionCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeLifecycleHooksCommand,
  paginateDescribeAutoScalingGroups,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling'
import { describe, expect, test } from 'vitest'
import { startAutoScaling } from '../../lab/auto-scaling/auto-scaling.ts'
import type { Hook } from '../../lab/auto-scaling/auto-scaling-types.ts'
import { address, inService, launchHook, only, terminateHook, world } from './auto-scaling-world.ts'

describe('a terminate hook', () => {
  test('keeps the machine up until CONTINUE, which switches it off once', async () => {
    const { simulator, client, typesOf, switchedOff } = await world()
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    const token = only(activity.actions).token
    const waiting = await client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [id] }))
    expect(waiting.AutoScalingInstances).toMatchObject([
      { InstanceId: id, AutoScalingGroupName: 'media', LifecycleState: 'Terminating:Wait' },
    ])
    expect(switchedOff).toEqual([])
    await client.send(
      new CompleteLifecycleActionCommand({
        ...address,
        LifecycleActionToken: token,
        LifecycleActionResult: 'CONTINUE',
      }),
    )
    await activity.done
    expect(switchedOff).toEqual([id])
    expect(typesOf()).toEqual([
      'EC2 Instance-terminate Lifecycle Action',
      'EC2 Instance Terminate Successful',
    ])
    const after = await client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [id] }))
    expect(after.AutoScalingInstances).toEqual([])
  })

  test('publishes the event as the Auto Scaling guide shows it', async () => {
    const { simulator, events } = await world()
    const { id } = await inService(simulator)
    const { actions } = await simulator.terminate(id)
    expect(events).toEqual([
      {
        source: 'aws.autoscaling',
        detailType: 'EC2 Instance-terminate Lifecycle Action',
        time: expect.any(Date),
        resources: [
          expect.stringMatching(
            /^arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:[0-9a-f-]{36}:autoScalingGroupName\/media$/,
          ),
        ],
        detail: {
          LifecycleActionToken: only(actions).token,
          AutoScalingGroupName: 'media',
          LifecycleHookName: 'drain',
          EC2InstanceId: id,
          LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
          NotificationMetadata: 'what the operator wrote',
          Origin: 'AutoScalingGroup',
          Destination: 'EC2',
        },
      },
    ])
  })

  test('delivers its event as often as it is told: twice with the same token, or never', async () => {
    const { simulator, events } = await world()
    const [twice, never] = [await inService(simulator), await inService(simulator)]
    await simulator.terminate(twice.id, { deliver: 'twice' })
    await simulator.terminate(never.id, { deliver: 'never' })
    expect(events).toHaveLength(2)
    expect(events[0]).toEqual(events[1])
    expect(simulator.actions().map(({ published }) => published.length)).toEqual([2, 0])
  })

  test('runs into its default result when nobody beats: CONTINUE terminates', async () => {
    const { simulator, switchedOff } = await world({
      hooks: [{ ...terminateHook, heartbeatTimeoutSeconds: 0.05 }],
    })
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    await activity.done
    expect(only(activity.actions).end).toMatchObject({ result: 'CONTINUE', cause: 'expired-default' })
    expect(switchedOff).toEqual([id])
  })

  test('ABANDON terminates too, unless the group retains', async () => {
    const { simulator, client, switchedOff } = await world()
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    await client.send(
      new CompleteLifecycleActionCommand({ ...address, InstanceId: id, LifecycleActionResult: 'ABANDON' }),
    )
    await activity.done
    expect(switchedOff).toEqual([id])
  })

  test.each(['completed', 'expired-default'] as const)(
    'ABANDON retains the machine where the policy says so (%s), until somebody terminates it',
    async (cause) => {
      const heartbeatTimeoutSeconds = cause === 'completed' ? 30 : 0.05
      const hook: Hook = { ...terminateHook, defaultResult: 'ABANDON', heartbeatTimeoutSeconds }
      const { simulator, client, switchedOff } = await world({
        terminateHookAbandon: 'retain',
        hooks: [hook],
      })
      const { id } = await inService(simulator)
      const activity = await simulator.terminate(id)
      if (cause === 'completed')
        await client.send(
          new CompleteLifecycleActionCommand({
            ...address,
            InstanceId: id,
            LifecycleActionResult: 'ABANDON',
          }),
        )
      await activity.done
      expect(only(activity.actions).end?.cause).toBe(cause)
      expect(switchedOff).toEqual([])
      const { AutoScalingGroups } = await client.send(new DescribeAutoScalingGroupsCommand({}))
      expect(AutoScalingGroups).toMatchObject([
        {
          AutoScalingGroupName: 'media',
          Instances: [{ InstanceId: id, LifecycleState: 'Terminating:Retained' }],
          InstanceLifecyclePolicy: { RetentionTriggers: { TerminateHookAbandon: 'retain' } },
        },
      ])
      const gone = simulator.actions().length
      await client.send(
        new TerminateInstanceInAutoScalingGroupCommand({
          InstanceId: id,
          ShouldDecrementDesiredCapacity: true,
        }),
      )
      expect(simulator.actions()).toHaveLength(gone)
      expect(switchedOff).toEqual([id])
    },
  )

  test('into the warm pool the machine stops and keeps its id and address', async () => {
    const { simulator, client, events, switchedOff } = await world()
    const instance = await inService(simulator)
    const activity = await simulator.terminate(instance.id, { destination: 'WarmPool' })
    expect(events[0]?.detail).toMatchObject({ Origin: 'AutoScalingGroup', Destination: 'WarmPool' })
    await client.send(
      new CompleteLifecycleActionCommand({
        ...address,
        InstanceId: instance.id,
        LifecycleActionResult: 'CONTINUE',
      }),
    )
    await activity.done
    expect(switchedOff).toEqual([instance.id])
    expect(instance).toMatchObject({
      lifecycleState: 'Warmed:Stopped',
      ec2State: 'stopped',
      privateIp: '10.0.1.20',
    })
  })

  test('of several, all must say CONTINUE, and one ABANDON ends the others', async () => {
    const { simulator, client, switchedOff } = await world({
      hooks: [terminateHook, { ...terminateHook, name: 'backup' }],
    })
    const { id } = await inService(simulator)
    const activity = await simulator.terminate(id)
    const complete = (LifecycleHookName: string, LifecycleActionResult: string) =>
      client.send(
        new CompleteLifecycleActionCommand({
          AutoScalingGroupName: 'media',
          LifecycleHookName,
          InstanceId: id,
          LifecycleActionResult,
        }),
      )
    await complete('drain', 'CONTINUE')
    expect(switchedOff).toEqual([])
    await complete('backup', 'CONTINUE')
    await activity.done
    expect(switchedOff).toEqual([id])

    const second = await inService(simulator)
    const abandoned = await simulator.terminate(second.id)
    await client.send(
      new CompleteLifecycleActionCommand({
        ...address,
        InstanceId: second.id,
        LifecycleActionResult: 'ABANDON',
      }),
    )
    await abandoned.done
    expect(abandoned.actions.map(({ end }) => end?.cause)).toEqual(['completed', 'other-hook'])
  })
})

describe('a launch hook', () => {
  const group = { hooks: [launchHook] }

  test('holds the machine in Pending:Wait until CONTINUE puts it in service', async () => {
    const { simulator, client, events, typesOf } = await world(group)
    const activity = await simulator.launch({ group: 'media', privateIp: '10.0.1.21' })
    expect(activity.instance.lifecycleState).toBe('Pending:Wait')
    expect(events[0]?.detail).toMatchObject({
      LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
      Origin: 'EC2',
      Destination: 'AutoScalingGroup',
    })
    await client.send(
      new CompleteLifecycleActionCommand({
        AutoScalingGroupName: 'media',
        LifecycleHookName: 'admit',
        LifecycleActionToken: only(activity.actions).token,
        LifecycleActionResult: 'CONTINUE',
      }),
    )
    await activity.done
    expect(activity.instance.lifecycleState).toBe('InService')
    expect(typesOf()).toEqual(['EC2 Instance-launch Lifecycle Action', 'EC2 Instance Launch Successful'])
  })

  test('that nobody completes abandons the machine by default', async () => {
    const { simulator, switchedOff } = await world({
      hooks: [{ ...launchHook, heartbeatTimeoutSeconds: 0.05 }],
    })
    const { instance, done } = await simulator.launch({ group: 'media', privateIp: '10.0.1.21' })
    await done
    expect(switchedOff).toEqual([instance.id])
    expect(instance.lifecycleState).toBe('Terminated')
  })

  test('is described as it was made', async () => {
    const { client } = await world(group)
    const { LifecycleHooks } = await client.send(
      new DescribeLifecycleHooksCommand({ AutoScalingGroupName: 'media' }),
    )
    expect(LifecycleHooks).toMatchObject([
      {
        LifecycleHookName: 'admit',
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
        HeartbeatTimeout: 30,
        GlobalTimeout: 3000,
        DefaultResult: 'ABANDON',
      },
    ])
  })
})

describe('groups', () => {
  test('come on pages, no more at once than were asked for, and each once', async () => {
    const { simulator, client } = await world()
    for (const name of ['a', 'b', 'c', 'd']) simulator.createGroup({ name, hooks: [] })
    const pages: (string | undefined)[][] = []
    for await (const { AutoScalingGroups = [] } of paginateDescribeAutoScalingGroups(
      { client, pageSize: 2 },
      {},
    ))
      pages.push(AutoScalingGroups.map(({ AutoScalingGroupName }) => AutoScalingGroupName))
    expect(pages).toEqual([['media', 'a'], ['b', 'c'], ['d']])
  })

  test('are refused where more are named than a page takes', async () => {
    const { client } = await world()
    const AutoScalingGroupNames = Array.from({ length: 51 }, (_, n) => `group-${n}`)
    const ask = (MaxRecords?: number) =>
      client.send(
        new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames, ...(MaxRecords && { MaxRecords }) }),
      )
    await expect(ask()).rejects.toThrow('MaxRecords is 50, for 51 names')
    expect((await ask(100)).AutoScalingGroups).toEqual([])
  })
})

test('what fails behind an answered call is said when the simulator closes', async () => {
  const simulator = await startAutoScaling({
    region: 'eu-central-1',
    accountId: '123456789012',
    publish: async () => undefined,
    onTerminate: () => Promise.reject(new Error('the process would not die')),
  })
  simulator.createGroup({ name: 'media', hooks: [] })
  const { id } = await inService(simulator)
  const { done } = await simulator.terminate(id)
  await expect(done).rejects.toThrow('would not die')
  await expect(simulator.close()).rejects.toThrow(AggregateError)
})
