import {
  type CloudWatchClient,
  DescribeAlarmContributorsCommand,
  DescribeAlarmsCommand,
} from '@aws-sdk/client-cloudwatch'
import * as z from 'zod'
import type { AlarmState, Contributor } from '../control/alarm.ts'
import type { Alarms } from '../ports/alarms.ts'
import { parseAnswer } from './rows.ts'

/** The most names that CloudWatch takes in a request, and alarms that it answers on a page. */
const alarmsAtOnce = 100

const alarm = z.object({
  AlarmName: z.string(),
  StateValue: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  StateTransitionedTimestamp: z.date().optional(),
  StateUpdatedTimestamp: z.date(),
})
const contributors = z.array(
  z.object({ ContributorId: z.string(), ContributorAttributes: z.record(z.string(), z.string()) }),
)

export function createAlarms(client: CloudWatchClient): Alarms {
  async function described(names: readonly string[]): Promise<(readonly [string, AlarmState])[]> {
    const found: (readonly [string, AlarmState])[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new DescribeAlarmsCommand({
          AlarmNames: [...names],
          AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
          MaxRecords: alarmsAtOnce,
          ...(token && { NextToken: token }),
        }),
      )
      for (const each of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])])
        found.push(stateOf(each))
      token = page.NextToken
    } while (token)
    return found
  }

  return {
    async states(names) {
      const found = new Map<string, AlarmState>()
      for (let from = 0; from < names.length; from += alarmsAtOnce)
        for (const [name, state] of await described(names.slice(from, from + alarmsAtOnce)))
          found.set(name, state)
      return found
    },

    async contributorsInAlarm(name) {
      const found: Contributor[] = []
      let token: string | undefined
      do {
        const page = await client.send(
          new DescribeAlarmContributorsCommand({ AlarmName: name, ...(token && { NextToken: token }) }),
        )
        const shown = parseAnswer(contributors, page.AlarmContributors ?? [], `contributors of ${name}`)
        found.push(
          ...shown.map(({ ContributorId: id, ContributorAttributes: attributes }) => ({ id, attributes })),
        )
        token = page.NextToken
      } while (token)
      return found
    },
  }
}

function stateOf(shown: unknown): readonly [string, AlarmState] {
  const { AlarmName, StateValue, StateUpdatedTimestamp, StateTransitionedTimestamp } = parseAnswer(
    alarm,
    shown,
    'CloudWatch alarm',
  )
  const since = (StateTransitionedTimestamp ?? StateUpdatedTimestamp).getTime()
  return [AlarmName, { value: StateValue, since }]
}
