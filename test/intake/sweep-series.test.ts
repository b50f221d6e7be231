import { expect, test } from 'vitest'
import type { AlarmState } from '../../functions/control/alarm.ts'
import { orderOf } from '../../functions/control/hold.ts'
import { sweepAlarms } from '../../functions/intake/sweep-alarms.ts'
import { sweepSeries } from '../../functions/intake/sweep-series.ts'
import { createMemoryAlarms } from '../memory/alarms.ts'
import { memoryPorts } from '../memory/ports.ts'
import { drain } from '../world/clearance-world.ts'
import { createWorld, minutes, neighbour, seconds, server } from '../world/world.ts'

const nameOf = (n: number) => `cpu-${String(n).padStart(2, '0')}`
const throttled = new Error('Rate exceeded')

async function holdSeries(
  { store, clock }: Pick<ReturnType<typeof memoryPorts>, 'store' | 'clock'>,
  n: number,
  attribute = `i-${String(n).padStart(17, '0')}`,
) {
  const instanceId = `i-${String(n).padStart(17, '0')}`
  const series = `[["InstanceId","${attribute}"]]`
  await store.putHold({
    ...{ source: 'alarm', id: `${nameOf(n)} ${series}`, who: `alarm ${nameOf(n)}`, why: 'a test' },
    subject: { kind: 'instance', instanceId, launchedAt: 1 },
    ...{ uris: [], addresses: [`10.1.0.${n}`], wholeInstance: true, order: orderOf(n) },
    placedAt: clock.now() - 2 * minutes,
  })
}

/** What CloudWatch shows of the alarms, then of their series. */
async function sweepBoth(ports: Parameters<typeof sweepAlarms>[0]) {
  const shown = new Map<string, AlarmState | undefined>()
  await sweepAlarms(ports, shown)
  await sweepSeries(ports, shown)
}

/** So many alarms whose series are in ALARM no more are held, and CloudWatch takes so long for each. */
async function worldOf(
  count: number,
  { takes = 0, refuses = () => false }: { takes?: number; refuses?: (name: string) => boolean } = {},
) {
  const ports = { ...memoryPorts(), alarms: createMemoryAlarms() }
  const asked: string[] = []
  for (let n = 0; n < count; n += 1) {
    await holdSeries(ports, n)
    ports.alarms.show(nameOf(n), { value: 'ALARM', since: 1 })
  }
  ports.alarms.contributorsInAlarm = async (name) => {
    asked.push(name)
    if (takes > 0) await ports.clock.sleep(takes)
    if (refuses(name)) throw throttled
    return []
  }
  return { ports, asked, held: async () => (await ports.store.holds()).length }
}

test('windows that begin and holds that end wait for no series of an alarm', async () => {
  const world = createWorld()
  const { memory, clock } = world
  const at = (ms: number) => new Date(clock.now() + ms).toISOString()
  await world.command(drain(neighbour, { from: at(5 * minutes), deadlineSeconds: 600 }))
  await world.command(drain(server, { until: at(5 * minutes) }))
  await holdSeries({ store: memory.store, clock }, 1)
  memory.alarms.show(nameOf(1), { value: 'ALARM', since: 1 })
  const heldWhenAsked: (readonly string[])[] = []
  memory.alarms.contributorsInAlarm = async () => {
    heldWhenAsked.push(await world.heldBy())
    throw throttled
  }
  await world.pass(5 * minutes)
  await expect(world.sweep()).rejects.toThrow(throttled)
  expect(heldWhenAsked).toEqual([[expect.stringContaining('cpu-01'), 'operator/10.0.1.21:5060;udp/alice']])
})

test('series are asked for no more once CloudWatch refuses one, and what it showed before that is lifted', async () => {
  const { ports, asked, held } = await worldOf(30, { takes: 4 * seconds, refuses: () => asked.length > 2 })
  await expect(sweepBoth(ports)).rejects.toThrow(throttled)
  expect(asked).toHaveLength(3)
  expect(await held()).toBe(28)
})

test('series are asked for no longer than 15 s where CloudWatch is slow', async () => {
  const { ports, asked, held } = await worldOf(30, { takes: 4 * seconds })
  await sweepBoth(ports)
  expect(asked).toHaveLength(4)
  expect(await held()).toBe(26)
})

test('a series that CloudWatch always refuses keeps no other one from its turn', async () => {
  const { ports, held } = await worldOf(40, { refuses: (name) => name === nameOf(3) || name === nameOf(33) })
  for (let minute = 0; minute < 40; minute += 1) {
    await sweepBoth(ports).catch(() => undefined)
    await ports.clock.advance(1 * minutes)
  }
  expect(await held()).toBe(2)
})

test('alarms that are OK, or gone, are seen without asking for series', async () => {
  const { ports, asked, held } = await worldOf(2)
  ports.alarms.show(nameOf(0), { value: 'OK', since: ports.clock.now() })
  await sweepAlarms(ports, new Map())
  expect(asked).toEqual([])
  expect(await held()).toBe(1)
})

const many = 250
const names = Array.from({ length: many }, (_, n) => nameOf(n))

test('CloudWatch is asked for the states of alarms for 15 s at most, what it has shown is done, and all have their turn', async () => {
  const { ports, held } = await worldOf(many)
  for (const name of names) ports.alarms.show(name, { value: 'OK', since: ports.clock.now() })
  const { states } = ports.alarms
  let asked = 0
  ports.alarms.states = async (some) => {
    asked += 1
    await ports.clock.sleep(16 * seconds)
    return states(some)
  }
  const left = new Set<number>()
  for (let minute = 0; minute < 3; minute += 1) {
    asked = 0
    await sweepAlarms(ports, new Map())
    expect(asked).toBe(1)
    left.add(await held())
    await ports.clock.advance(1 * minutes)
  }
  expect(left.size).toBe(3)
  expect(await held()).toBe(0)
})

test.each(['groupMembers', 'workflows', 'alarms'] as const)(
  'windows that begin and holds that end have their turn in their minute while what is behind %s is slow',
  async (slow) => {
    const world = createWorld()
    const { memory, clock } = world
    const at = (ms: number) => new Date(clock.now() + ms).toISOString()
    await holdSeries({ store: memory.store, clock }, 1)
    await world.command(drain(neighbour, { from: at(5 * minutes), deadlineSeconds: 600 }))
    await world.command(drain(server, { until: at(5 * minutes) }))
    await world.pass(5 * minutes)
    const takes = async () => {
      await clock.sleep(slow === 'alarms' ? 20 * seconds : 10 * minutes)
      throw throttled
    }
    if (slow === 'groupMembers') memory.groupMembers.waiting = takes
    if (slow === 'workflows') memory.workflows.idle = takes
    if (slow === 'alarms') memory.alarms.states = takes
    const swept = world.sweep().catch((error: unknown) => error)
    await world.pass(30 * seconds)
    expect(await world.heldBy()).toContain('operator/10.0.1.21:5060;udp/alice')
    expect(await world.heldBy()).not.toContain('operator/10.0.1.20:5060;udp/alice')
    expect(await swept).toBe(throttled)
  },
)

test('a series whose name is from when a longer one was taken stays held while it is in ALARM', async () => {
  const ports = { ...memoryPorts(), alarms: createMemoryAlarms() }
  const attribute = 'i'.repeat(860)
  await holdSeries(ports, 1, attribute)
  ports.alarms.show(nameOf(1), { value: 'ALARM', since: 1 })
  ports.alarms.contributorsInAlarm = async () => [{ id: 'c-1', attributes: { InstanceId: attribute } }]
  await sweepBoth(ports)
  expect(await ports.store.holds()).toHaveLength(1)
})
