import type {
  Hook,
  Resource,
  ShownAlarm,
  ShownGroup,
  State,
  Surroundings,
} from '../../cli/desk/surroundings.ts'
import type { ControlConfig } from '../../functions/contracts/config.ts'
import { mayRetain } from '../../functions/control/deadline.ts'
import type { Clock } from '../../functions/ports/clock.ts'
import type { Fleet } from '../../functions/ports/fleet.ts'

const resource = (type: string, logicalId: string): Resource => ({
  type,
  logicalId,
  name: type === 'AWS::SQS::Queue' ? `https://sqs/1/${logicalId}` : `dispatcher-control-${logicalId}`,
})

const rules = ['IntakeLifecycleActions', 'SweepScheduleEveryMinute'].map((id) => `Control${id}9F`)
const functions = ['SettleFunction', 'OnCommandsFunction'].map((id) => `Control${id}9F`)
const queues = [
  ...[
    'CommandsQueue',
    'CommandsDeadLetters',
    'IntakeLifecycleEventsDeadLetters',
    'IntakeAlarmEventsDeadLetters',
  ],
  ...['SettleSchedule', 'Schedule', 'SweepSchedule'].flatMap((id) => [`${id}Failed`, `${id}Undelivered`]),
  'IntakeEdgeListUndelivered',
].map((id) => `Control${id}9F`)

export interface MemorySurroundings extends Surroundings {
  /** what a test plants into; by name where there is more than one */
  readonly shown: {
    readonly states: Map<string, State>
    readonly messages: Map<string, number | 'gone'>
    readonly alarms: Map<string, ShownAlarm>
    readonly groups: Map<string, ShownGroup>
    readonly hooks: Map<string, Hook[]>
    settings: Awaited<ReturnType<Surroundings['settings']>>
    /** of functions */
    readonly reserved: Map<string, number | 'gone'>
    refusedList: string | undefined
    overTls: readonly string[]
    /** AWS's clock, of the world's */
    aheadMs: number
  }
}

const ofAlarm = (name: string, description: string): ShownAlarm => ({
  ...{ name, description, state: 'OK', actionsEnabled: true },
})

/** What AWS shows of a deployment that is whole, with groups as the settings want them. */
export function memorySurroundings({
  config,
  fleet,
  clock,
}: {
  readonly config: ControlConfig
  readonly fleet: Fleet
  readonly clock: Clock
}): MemorySurroundings {
  const alarms = [
    ofAlarm('dispatcher-control-Drift', 'Edges drift. Runbook: docs/operations.md#drift (No data: none.)'),
    ...config.alarms.map(({ name }) => ofAlarm(name, 'the media server fails its health checks')),
  ]
  const shown: MemorySurroundings['shown'] = {
    states: new Map(),
    messages: new Map(),
    alarms: new Map(alarms.map((each) => [each.name, each])),
    groups: new Map(
      config.groups.map(({ name, deadlinePolicy }) => [
        name,
        { name, retains: mayRetain(deadlinePolicy), suspended: [] },
      ]),
    ),
    hooks: new Map(config.groups.map((group) => [group.name, hooksOf(group)])),
    settings: { control: config },
    reserved: new Map(),
    refusedList: undefined,
    overTls: [],
    aheadMs: 0,
  }
  const state = async (name: string): Promise<State> => shown.states.get(name) ?? 'enabled'
  return {
    shown,
    resources: async () => [
      ...rules.map((id) => resource('AWS::Events::Rule', id)),
      ...queues.map((id) => resource('AWS::SQS::Queue', id)),
      ...functions.map((id) => resource('AWS::Lambda::Function', id)),
      resource('AWS::Lambda::EventSourceMapping', 'ControlOnCommandsFunctionMessages9F'),
      resource('AWS::CloudWatch::Alarm', 'Drift'),
    ],
    settings: async () => shown.settings,
    time: async () => Math.floor((clock.now() + shown.aheadMs) / 1000) * 1000,
    reserved: async (name) => shown.reserved.get(name),
    async edgeList({ routes }) {
      const edges = (await fleet.edges()).map(({ id }) => id)
      return {
        edges,
        overTls: shown.overTls,
        withoutRoute: routes === undefined ? [] : edges.filter((id) => !routes.includes(id)),
        withoutParameter: (routes ?? []).filter((id) => !edges.includes(id)),
        ...(shown.refusedList !== undefined && { refused: shown.refusedList }),
      }
    },
    rule: state,
    mapping: state,
    messages: async (queue) => shown.messages.get(queue.replace('https://sqs/1/', '')) ?? 0,
    alarms: async (names) => names.flatMap((name) => shown.alarms.get(name) ?? []),
    groups: async (names) => names.flatMap((name) => shown.groups.get(name) ?? []),
    hooks: async (group) => shown.hooks.get(group) ?? [],
    async putHook(group, hook) {
      const others = (shown.hooks.get(group) ?? []).filter(({ name }) => name !== hook.name)
      shown.hooks.set(group, [...others, hook])
    },
    async retain(group) {
      const { suspended = [] } = shown.groups.get(group) ?? {}
      shown.groups.set(group, { name: group, suspended, retains: true })
    },
  }
}

function hooksOf({
  terminateHook,
  launchHook,
  heartbeatTimeoutSeconds: heartbeatSeconds,
  deadlinePolicy,
}: ControlConfig['groups'][number]): Hook[] {
  const defaultResult = mayRetain(deadlinePolicy) ? 'ABANDON' : 'CONTINUE'
  return [
    { name: terminateHook, transition: 'terminating', heartbeatSeconds, defaultResult },
    ...(launchHook === undefined
      ? []
      : [
          {
            ...{ name: launchHook, transition: 'launching' as const, heartbeatSeconds },
            defaultResult: 'CONTINUE' as const,
          },
        ]),
  ]
}
