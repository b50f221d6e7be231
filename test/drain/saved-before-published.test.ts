import { expect, test } from 'vitest'
import { type DrainRow, toDrainRow } from '../../functions/aws/drain-row.ts'
import type { EventType } from '../../functions/contracts/names.ts'
import type { Drain } from '../../functions/control/drain.ts'
import { look } from '../../functions/drain/look.ts'
import { message } from '../contracts/event-files.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  instanceId,
  minutes,
  server,
  type World,
} from '../world/world.ts'

type CallsLeft = 'terminate' | 'retain' | 'end-calls'

/** A world in which the look that first writes this change is killed right after it. */
function killedAfter(changed: (row: DrainRow) => boolean, callsLeft: CallsLeft) {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 600,
    deadlinePolicy: { callsLeft, unknown: 'terminate' } as const,
    ...(callsLeft === 'end-calls' && { endCalls: { perStep: 4, withinSeconds: 120 } }),
  }))
  const world = createWorld({ config: { groups } })
  const { putDrain } = world.memory.store
  let killed = 0
  Object.assign(world.memory.store, {
    async putDrain(drain: Drain) {
      const written = await putDrain(drain)
      if (killed > 0 || !changed(toDrainRow(drain))) return written
      killed += 1
      throw new Error('killed')
    },
  })
  return { world, killed: () => killed }
}

const byOperator = (world: World) => world.command(command('command-drain-destination'))

test.each<[EventType, (row: DrainRow) => boolean, CallsLeft, number, (world: World) => Promise<unknown>]>([
  ['Instance Retained', (record) => record.retainedAt !== undefined, 'retain', 1, abandonedByAnother],
  ['Drain Drained', (record) => record.state === 'drained', 'terminate', 0, byOperator],
  ['Drain Ended', (record) => record.state === 'ended', 'terminate', 0, endedByTermination],
  ['Calls Ended', (record) => record.callsEnded !== undefined, 'end-calls', 1, (world) => world.scaleIn()],
])(
  '%s is published also where the look is killed right after it was written',
  async (type, changed, callsLeft, calls, story) => {
    const { world, killed } = killedAfter(changed, callsLeft)
    for (let call = 0; call < calls; call++) world.edge('edge-a').callTo(server)
    await story(world)
    await world.pass(20 * minutes)
    expect(killed()).toBe(1)
    expect(world.memory.events.of(type).length).toBeGreaterThan(0)
  },
)

async function endedByTermination(world: World): Promise<void> {
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.setState(instanceId, 'terminated')
}

async function abandonedByAnother(world: World): Promise<void> {
  await world.scaleIn()
  await world.pass(5 * minutes)
  const action = { group: 'media-servers', hook: 'drain-calls', instanceId }
  await world.memory.lifecycleActions.complete(action, 'ABANDON')
}

test('what happened is published also where what the look does about it is refused', async () => {
  const world = createWorld()
  world.memory.store.failNext('putHold', new Error('throttled'))
  world.beginAction()
  await expect(world.lifecycle(message('lifecycle-terminate-scale-in'))).rejects.toThrow('throttled')
  world.memory.settles.failNext('ask', new Error('throttled'))
  const payload = { drainId, attempt: 1, next: 'observe', waitSeconds: 1, retrySeconds: 1 } as const
  await expect(look(world.ports, payload)).rejects.toThrow('throttled')
  expect(world.memory.events.of('Drain Started')).toHaveLength(1)
})
