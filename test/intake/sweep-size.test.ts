import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { createAlarms } from '../../functions/aws/alarms.ts'
import type { AlarmState } from '../../functions/control/alarm.ts'
import { orderOf } from '../../functions/control/hold.ts'
import { sweep } from '../../functions/intake/sweep.ts'
import { sweepAlarms } from '../../functions/intake/sweep-alarms.ts'
import { sweepSeries } from '../../functions/intake/sweep-series.ts'
import { awsStub } from '../aws/aws-stub.ts'
import { createMemoryInstances } from '../memory/instances.ts'
import { memoryPorts } from '../memory/ports.ts'
import { some } from '../present.ts'

const minute = 60_000
const idOf = (n: number) => `i-${String(n).padStart(17, '0')}`
const seriesOf = (n: number) => `[["InstanceId","${idOf(n)}"]]`

/**
 * Each of so many machines is held by a series of an alarm of its own, whose series is in ALARM no more; the
 * first `silent` have no data.
 */
async function worldOf(count: number, silent = 0) {
  const all = Array.from({ length: count }, (_, n) => n)
  const asked = { now: 0, most: 0, ec2: 0, groups: 0 }
  const stub = await awsStub(({ operation, body }) => {
    if (operation === 'DescribeAlarmContributors') return { result: { AlarmContributors: [] } }
    const names = z.array(z.string()).max(100).parse(body.AlarmNames)
    const shown = (AlarmName: string) => ({
      ...{ AlarmName, StateUpdatedTimestamp: 1_795_000_000 },
      StateValue: Number(AlarmName.replace('cpu-', '')) < silent ? 'INSUFFICIENT_DATA' : 'ALARM',
    })
    return { result: { MetricAlarms: names.map(shown) } }
  })
  const alarms = createAlarms(new CloudWatchClient(stub.client))
  const instances = createMemoryInstances(
    all.map((n) => ({
      ...{ instanceId: idOf(n), launchedAt: 1, state: 'running' as const, group: 'media' },
      ...{ addresses: [`10.1.${n >> 8}.${n & 255}`], taggedDestinations: [] },
    })),
  )
  const ports = memoryPorts()
  const given = {
    ...ports,
    alarms: {
      ...alarms,
      async contributorsInAlarm(name: string) {
        asked.now += 1
        asked.most = Math.max(asked.most, asked.now)
        const found = await alarms.contributorsInAlarm(name)
        asked.now -= 1
        return found
      },
    },
    instances: {
      ...instances,
      inGroups: async (groups: readonly string[]) => {
        asked.ec2 += 1
        return instances.inGroups(groups)
      },
      byIds: async (ids: readonly string[]) => {
        asked.ec2 += 1
        return instances.byIds(ids)
      },
    },
    groupMembers: {
      waiting: async () => {
        asked.groups += 1
        return []
      },
    },
  }
  for (const n of all)
    await ports.store.putHold({
      ...{ source: 'alarm', id: `cpu-${n} ${seriesOf(n)}`, who: `alarm cpu-${n}`, why: 'a test' },
      subject: { kind: 'instance', instanceId: idOf(n), launchedAt: 1 },
      ...{ uris: [], addresses: [`10.1.${n >> 8}.${n & 255}`], wholeInstance: true, order: orderOf(n) },
      placedAt: ports.clock.now() - 2 * minute,
    })
  const requests = (operation: string) => stub.requests.filter((one) => one.operation === operation)
  return { ports: given, asked, requests }
}

test('1,000 instances and 1,000 alarms take few requests, one after the other', async () => {
  const { ports, asked, requests } = await worldOf(1000, 100)
  await sweep(ports)
  expect(requests('DescribeAlarms')).toHaveLength(10)
  expect(requests('DescribeAlarmContributors')).toHaveLength(30)
  expect(asked).toEqual({ now: 0, most: 1, ec2: 1, groups: 1 })
}, 90_000)

test("every alarm's series have their turn", async () => {
  const { ports, requests } = await worldOf(70)
  for (let minutes = 0; minutes < 5; minutes += 1) {
    const shown = new Map<string, AlarmState | undefined>()
    await sweepAlarms(ports, shown)
    await sweepSeries(ports, shown)
    await ports.clock.advance(minute)
  }
  expect(some(requests('DescribeAlarmContributors')).length).toBeLessThanOrEqual(70)
  expect(await ports.store.holds()).toEqual([])
})
