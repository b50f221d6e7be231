import { InvalidMessage } from '../../functions/control/errors.ts'
import { minutes, server } from '../world/world.ts'
import type { DoctorWorld } from './doctor-world.ts'

export const group = 'media-servers'
export const changed = <T>(map: Map<string, T>, name: string, changes: Partial<T>) => {
  const found = map.get(name)
  if (found === undefined) throw new Error(`nothing is called ${name}`)
  map.set(name, { ...found, ...changes })
}
export const hook = (world: DoctorWorld, name: string, changes: object) => {
  const { hooks } = world.around.shown
  hooks.set(
    group,
    (hooks.get(group) ?? []).map((each) => (each.name === name ? { ...each, ...changes } : each)),
  )
}

type Plant = (world: DoctorWorld) => unknown
/** A check, on what it finds something, and how that comes about. */
type Planted = readonly [string, string, Plant]
const ofEdges: readonly Planted[] = [
  ['edge-profiles', 'edge-a', ({ planted }) => Object.assign(planted.facts, { profiles: [] })],
  ['edge-outbound', 'edge-a', ({ planted }) => Object.assign(planted.facts, { profiles: ['dst'] })],
  ['edge-counting', 'edge-a', ({ planted }) => Object.assign(planted.facts, { counts: 'never' })],
  ['edge-counters', 'edge-a', ({ planted }) => Object.assign(planted.facts, { counters: false })],
  ['edge-guard', 'edge-a', ({ planted }) => Object.assign(planted.facts, { guard: false })],
  ['edge-batches', 'edge-a', ({ planted }) => Object.assign(planted.facts, { batch: false })],
  [
    'edge-readable-list',
    'edge-a',
    ({ planted }) =>
      Object.assign(planted.facts, {
        list: { destinations: 2, opaque: 1, opaqueSamples: ['tel:+49'], iuid: true },
      }),
  ],
  [
    'edge-sound-script',
    'edge-a',
    ({ planted }) => Object.assign(planted.facts, { configurationError: 'include drain-guard.cfg' }),
  ],
  ['longest-call', 'edge-a', ({ planted }) => Object.assign(planted.facts, { longestCallSeconds: 7201 })],
  [
    'longest-call',
    'edge-a',
    ({ planted }) => Object.assign(planted.facts, { longestCallSeconds: undefined }),
  ],
  [
    'edge-older-files',
    'edge-a',
    ({ planted }) => Object.assign(planted.facts, { endsCalls: undefined, longestCallSeconds: undefined }),
  ],
  ['edge-clock', 'edge-a', ({ planted }) => Object.assign(planted.facts, { clockDifferenceSeconds: -3 })],
  [
    'kamailio-version',
    'edge-a',
    ({ planted }) => Object.assign(planted.facts, { version: 'kamailio 5.5.4' }),
  ],
  [
    'kamailio-version',
    'edge-a',
    ({ planted }) => Object.assign(planted.facts, { version: 'kamailio 6.1.0' }),
  ],
  [
    'edge-tls',
    'edge-a',
    ({ around, planted }) => {
      around.shown.overTls = ['edge-a', 'edge-b']
      Object.assign(planted.facts, { version: 'kamailio 5.6.3' })
    },
  ],
  [
    'entry-refused',
    'edge-a',
    ({ planted }) =>
      Object.assign(planted.reading, {
        entries: [{ set: 1, uri: 'sip:10.0.1.20:5060', after: 'AP', refused: 'it is listed twice' }],
      }),
  ],
  ['edge-write', 'edge-a', ({ planted }) => Object.assign(planted.reading, { problem: 'not answered' })],
  ['empty-list', 'edge-a', ({ planted }) => Object.assign(planted.listing, { listed: [] })],
  [
    'unresolved-name',
    'edge-a',
    ({ planted }) =>
      Object.assign(planted.listing, { listed: [{ set: 1, uri: 'sip:ms.example:5060', flags: 'AP' }] }),
  ],
  [
    'edge-unreadable',
    'edge-b',
    async ({ world }) => {
      world.edge('edge-b').misbehaviour = { unreachable: true }
      await world.pass(1 * minutes)
      await world.settle()
    },
  ],
  [
    'edge-without-route',
    'edge-b',
    ({ around }) => Object.assign(around.shown.settings, { routes: ['edge-a'] }),
  ],
  [
    'edge-without-parameter',
    'edge-c',
    ({ around }) => Object.assign(around.shown.settings, { routes: ['edge-a', 'edge-b', 'edge-c'] }),
  ],
  [
    'edge-list-refused',
    '/dispatcher-control/edges',
    ({ around }) => {
      around.shown.refusedList = 'edge-c: is not JSON'
    },
  ],
  ['edge-unknown', 'edge-c', ({ world }) => world.memory.fleet.list.push(world.newEdge({ id: 'edge-c' }))],
]

const ofHooks: readonly Planted[] = [
  ['group-missing', group, ({ around }) => around.shown.groups.delete(group)],
  ['group-suspended', group, ({ around }) => changed(around.shown.groups, group, { suspended: ['Launch'] })],
  [
    'hook-missing',
    `${group}/drain-calls`,
    (world) => hook(world, 'drain-calls', { name: 'another', transition: 'launching' }),
  ],
  [
    'hook-transition',
    `${group}/admit-calls`,
    (world) => hook(world, 'admit-calls', { transition: 'terminating' }),
  ],
  [
    'hook-default-result',
    `${group}/admit-calls`,
    (world) => hook(world, 'admit-calls', { defaultResult: 'ABANDON' }),
  ],
  [
    'hook-default-result',
    `${group}/drain-calls`,
    (world) => hook(world, 'drain-calls', { defaultResult: 'ABANDON' }),
  ],
  ['hook-heartbeat', `${group}/drain-calls`, (world) => hook(world, 'drain-calls', { heartbeatSeconds: 60 })],
  [
    'others-hook',
    `${group}/theirs`,
    ({ around }) =>
      around.shown.hooks.get(group)?.push({
        name: 'theirs',
        transition: 'terminating',
        heartbeatSeconds: 60,
        defaultResult: 'CONTINUE',
      }),
  ],
]

const ofStack: readonly Planted[] = [
  [
    'rule-disabled',
    'IntakeLifecycleActions',
    ({ around }) => around.shown.states.set('dispatcher-control-ControlIntakeLifecycleActions9F', 'disabled'),
  ],
  [
    'rule-gone',
    'IntakeLifecycleActions',
    ({ around }) => around.shown.states.set('dispatcher-control-ControlIntakeLifecycleActions9F', 'gone'),
  ],
  [
    'schedule-disabled',
    'SweepScheduleEveryMinute',
    ({ around }) =>
      around.shown.states.set('dispatcher-control-ControlSweepScheduleEveryMinute9F', 'disabled'),
  ],
  [
    'queue-consumer-disabled',
    'OnCommandsFunctionMessages',
    ({ around }) =>
      around.shown.states.set('dispatcher-control-ControlOnCommandsFunctionMessages9F', 'disabled'),
  ],
  ...(['SettleFunction', 'OnCommandsFunction'] as const).flatMap((id): Planted[] => {
    const [name, kind] = [
      `dispatcher-control-Control${id}9F`,
      id === 'SettleFunction' ? 'settle' : 'function',
    ]
    return [
      [`${kind}-stopped`, id, ({ around }) => around.shown.reserved.set(name, 0)],
      [`${kind}-gone`, id, ({ around }) => around.shown.reserved.set(name, 'gone')],
    ]
  }),
  [
    'queue-gone',
    'CommandsDeadLetters',
    ({ around }) => around.shown.messages.set('ControlCommandsDeadLetters9F', 'gone'),
  ],
  [
    'dead-letters',
    'CommandsDeadLetters',
    ({ around }) => around.shown.messages.set('ControlCommandsDeadLetters9F', 1),
  ],
  [
    'calls-failed',
    'SettleScheduleFailed',
    ({ around }) => around.shown.messages.set('ControlSettleScheduleFailed9F', 2),
  ],
  [
    'events-undelivered',
    'IntakeEdgeListUndelivered',
    ({ around }) => around.shown.messages.set('ControlIntakeEdgeListUndelivered9F', 1),
  ],
  [
    'queue-backlog',
    'CommandsQueue',
    ({ around }) => around.shown.messages.set('ControlCommandsQueue9F', 101),
  ],
  [
    'alarm',
    'dispatcher-control-Drift',
    ({ around }) => changed(around.shown.alarms, 'dispatcher-control-Drift', { state: 'ALARM' }),
  ],
  [
    'alarm-muted',
    'dispatcher-control-Drift',
    ({ around }) => changed(around.shown.alarms, 'dispatcher-control-Drift', { actionsEnabled: false }),
  ],
  [
    'alarm-gone',
    'dispatcher-control-Drift',
    ({ around }) => around.shown.alarms.delete('dispatcher-control-Drift'),
  ],
  [
    'server-alarm-missing',
    'media-server-cpu',
    ({ around }) => around.shown.alarms.delete('media-server-cpu'),
  ],
  ['freeze', 'fleet', ({ kdc }) => kdc('freeze -m maintenance')],
  [
    'drain-missing',
    'operator/10.0.1.20:5060;udp/',
    async ({ kdc, world, shelf }) => {
      await kdc(`drain ${server} -m 'disk failing'`)
      Object.assign(shelf, { drain: async () => undefined })
      await world.pass(6 * minutes)
      await world.settle()
    },
  ],
  [
    'look-overdue',
    'operator/10.0.1.20:5060;udp/',
    async ({ kdc, world: { memory, clock }, shelf }) => {
      await kdc(`drain ${server} -m 'disk failing'`)
      Object.assign(shelf, {
        drain: async (id: string) => ({
          ...(await memory.store.drain(id)),
          nextLookAt: clock.now() - 6 * minutes,
        }),
      })
    },
  ],
  [
    'unreadable-row',
    'table',
    ({ shelf }) =>
      Object.assign(shelf, { waiting: async () => ({ drains: [], unread: ['WAITING/x: who'] }) }),
  ],
  [
    'own-clock',
    'this machine',
    ({ around }) => {
      around.shown.aheadMs = 4000
    },
  ],
  [
    'settings-unread',
    'settings',
    ({ around }) =>
      Object.assign(around, { settings: () => Promise.reject(new InvalidMessage('groups: …')) }),
  ],
]

export const plants: readonly Planted[] = [...ofEdges, ...ofHooks, ...ofStack]
