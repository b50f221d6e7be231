import { describe, expect, test } from 'vitest'
import { filedUnder } from '../../functions/aws/dynamo-changes.ts'
import { message } from '../contracts/event-files.ts'
import { present, some } from '../present.ts'
import { foundBy, minutesGoBy, onFile, shown } from '../world/changes-on-file.ts'
import { activate, drain, freeze, unfreeze, worldWith } from '../world/clearance-world.ts'
import {
  alice,
  command,
  createWorld,
  facts,
  instanceId,
  minutes,
  neighbour,
  server,
  type World,
} from '../world/world.ts'

const sender = { id: alice }
const ofAlarm = { sender: { id: expect.stringContaining(':alarm:media-server-cpu') } }
const group = 'auto scaling group media-servers'
const reload = (changes: object = {}) => command('command-reload', { id: 'reload-1', ...changes })
const release = (changes: object = {}) => command('command-release-edge', { id: 'release-1', ...changes })

async function remove(world: World, edge = 'edge-b') {
  const at = world.memory.fleet.list.findIndex(({ id }) => id === edge)
  const [removed] = world.memory.fleet.list.splice(at, 1)
  await world.lifecycle(message('edge-list-update'))
  await world.settledAll()
  return removed
}

interface Story {
  readonly of: string
  readonly world?: () => World
  readonly before?: (world: World) => Promise<unknown>
  readonly change: (world: World) => Promise<unknown>
  readonly leaves: object
}

const floored = () => worldWith({ floors: [{ set: 1, percent: 50 }] })

const stories: readonly Story[] = [
  {
    of: 'a scale-in',
    change: async (world) => {
      world.edge('edge-a').callTo(server)
      world.beginAction()
      await world.lifecycle(message('lifecycle-terminate-scale-in'))
    },
    leaves: {
      ...{ kind: 'placed', who: group, why: 'drain-calls: AutoScalingGroup to EC2' },
      ...{ hold: { source: 'lifecycle', id: `${instanceId}/drain-calls` }, shown: shown('AP', 'DX') },
      destinations: [instanceId, server],
    },
  },
  {
    of: 'the end of its drain',
    before: (world) => world.scaleIn(),
    change: (world) => world.until((record) => record?.state === 'ended'),
    leaves: {
      ...{ kind: 'retired', why: `drained by ${group}: drain-calls: AutoScalingGroup to EC2` },
      ...{ hold: { source: 'retired', id: `${instanceId}/drain-calls` }, shown: shown('DX', 'DX') },
      destinations: [instanceId, server],
    },
  },
  {
    of: 'the end of its mark',
    before: async (world) => {
      await world.scaleIn()
      await world.until((record) => record?.state === 'ended')
      world.memory.instances.put(facts({ launchedAt: world.clock.now() - 2 * minutes }))
    },
    change: (world) => minutesGoBy(world, 1),
    leaves: {
      ...{ kind: 'lifted', who: `${instanceId} was launched again`, shown: shown('DX', 'AP') },
      former: { who: group, why: expect.stringContaining('drained by') },
    },
  },
  {
    of: 'an alarm',
    change: (world) => world.alarm(message('alarm-metric-alarm')),
    leaves: { kind: 'placed', ...ofAlarm, hold: { source: 'alarm' }, shown: shown('AP', 'DX') },
  },
  {
    of: 'its OK',
    before: (world) => world.alarm(message('alarm-metric-alarm')),
    change: (world) => world.alarm(message('alarm-metric-ok')),
    leaves: {
      ...{ kind: 'lifted', ...ofAlarm, former: ofAlarm, shown: shown('DX', 'AP') },
      why: expect.stringContaining('Threshold Crossed'),
    },
  },
  {
    of: 'a forced drain of an operator',
    change: (world) => world.command(drain(server, { force: 'it burns', reason: 'kernel update' })),
    leaves: {
      ...{ kind: 'placed', who: 'alice', sender, why: 'kernel update', force: 'it burns' },
      ...{ destinations: [instanceId, server], shown: shown('AP', 'DX') },
    },
  },
  {
    of: 'an activate',
    before: (world) => world.command(drain(server, { reason: 'kernel update' })),
    change: (world) => world.command(activate(server, { reason: 'it is mended' })),
    leaves: {
      ...{ kind: 'lifted', who: 'alice', sender, why: 'it is mended', shown: shown('DX', 'AP') },
      former: { who: 'alice', sender, why: 'kernel update' },
    },
  },
  {
    of: 'a window that begins',
    before: async (world) => {
      const until = new Date(world.clock.now() + 20 * minutes).toISOString()
      const from = new Date(world.clock.now() + 10 * minutes).toISOString()
      await world.command(drain(server, { from, until }))
      await world.pass(11 * minutes)
    },
    change: (world) => world.sweep(),
    leaves: { kind: 'placed', who: 'alice', until: expect.any(Number), shown: shown('AP', 'DX') },
  },
  {
    of: 'the end that a drain was given',
    before: async (world) => {
      const until = new Date(world.clock.now() + 10 * minutes).toISOString()
      await world.command(drain(server, { reason: 'kernel update', until }))
      await world.pass(11 * minutes)
    },
    change: (world) => world.sweep(),
    leaves: {
      ...{ kind: 'lifted', who: 'its end', shown: shown('DX', 'AP') },
      former: { who: 'alice', sender, why: 'kernel update' },
    },
  },
  {
    of: 'what waited and was superseded',
    world: floored,
    before: async (world) => {
      await world.command(drain(server))
      await world.command(drain(neighbour))
    },
    change: (world) => world.command(activate(neighbour, { reason: 'not needed' })),
    leaves: {
      ...{ kind: 'superseded', who: 'alice', sender, why: 'not needed' },
      ...{ former: { who: 'alice', sender }, shown: [] },
    },
  },
  {
    of: 'what waited and begins',
    world: floored,
    before: async (world) => {
      await world.command(drain(server))
      await world.command(drain(neighbour))
      await world.command(activate(server))
    },
    change: (world) => world.sweep(),
    leaves: { kind: 'placed', who: 'alice', sender, destinations: expect.arrayContaining([neighbour]) },
  },
  {
    of: 'a freeze',
    change: (world) => world.command(freeze({ reason: 'carrier' })),
    leaves: { kind: 'frozen', who: 'alice', sender, why: 'carrier', destinations: [], shown: [] },
  },
  {
    of: 'its end by command',
    before: (world) => world.command(freeze()),
    change: (world) => world.command({ ...unfreeze, reason: 'it is over' }),
    leaves: {
      kind: 'freeze-ended',
      who: 'alice',
      sender,
      why: 'it is over',
      former: { who: 'alice', sender },
    },
  },
  {
    of: 'its own end',
    before: async (world) => {
      const until = new Date(world.clock.now() + 10 * minutes).toISOString()
      await world.command(freeze({ until }))
      await world.pass(11 * minutes)
    },
    change: (world) => world.sweep(),
    leaves: { kind: 'freeze-ended', who: 'its end', former: { who: 'alice', sender } },
  },
  {
    of: 'a released edge',
    before: (world) => remove(world),
    change: (world) => world.command(release()),
    leaves: { kind: 'released', who: 'alice', sender, edge: 'edge-b', why: expect.stringContaining('lost') },
  },
  {
    of: 'the end of its release',
    before: async (world) => {
      const removed = present(await remove(world), 'edge that was removed')
      await world.command(release())
      world.memory.fleet.list.push(removed)
    },
    change: (world) => world.settle(),
    leaves: { kind: 'release-ended', edge: 'edge-b', former: { who: 'alice', sender } },
  },
  {
    of: 'a reload',
    change: (world) => world.command(reload()),
    leaves: {
      ...{ kind: 'reloaded', who: 'alice', sender, destinations: [] },
      shown: [
        { edges: ['edge-a', 'edge-b'], outcome: 'reloaded', entries: [], listed: { before: 4, after: 4 } },
      ],
    },
  },
]

describe.each(stories)('$of', ({ world: create = createWorld, before, change, leaves }) => {
  async function told() {
    const world = create()
    await world.settledAll()
    await before?.(world)
    const former = (await world.memory.store.openChanges()).changes.map(({ id }) => id)
    await change(world)
    await minutesGoBy(world)
    const found = (await onFile(world)).filter(({ id }) => !former.includes(id))
    return { world, found }
  }

  test('leaves one row, which is found by day, by sender and by each destination', async () => {
    const { world, found } = await told()
    expect(found).toHaveLength(1)
    expect(found).toMatchObject([{ complete: true, ...leaves }])
    for (const of of some(found.flatMap(filedUnder)))
      expect((await foundBy(world, of)).filter(({ id }) => id === found[0]?.id)).toEqual(found)
    expect((await world.memory.store.openChanges()).changes).toEqual([])
  })
})
