import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { drainRow } from '../../functions/aws/drain-row.ts'
import { stepInput, type WorkflowPayload, workflowInput } from '../../functions/contracts/workflow-payload.ts'
import type { Drain } from '../../functions/control/drain.ts'
import { look } from '../../functions/drain/look.ts'
import { present, some } from '../present.ts'
import { createWorld, facts, minutes } from '../world/world.ts'

/** What executions of 0.1.0 wait with, each with the row of its drain: test/former-release/README.md */
const folder = join(import.meta.dirname, '../former-release')
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'))
const samples = z
  .array(z.strictObject({ drain: z.string(), payload: z.looseObject({ next: z.string() }) }))
  .parse(read('payloads.json'))
  .map(({ drain, payload }) => ({ file: drain, next: payload.next, payload }))

/** The deployment that has such a drain: its row, its hold, its machine and the action that is open. */
async function upgraded(file: string) {
  const drain = drainRow.parse(z.object({ row: z.unknown() }).parse(read(`drains/${file}`)).row)
  const { subject } = drain.hold
  if (subject.kind !== 'instance' || !drain.action) throw new Error(`${file} is of no lifecycle action`)
  const { group, hook, instanceId, token } = drain.action
  const launchedAt = subject.launchedAt || 1_790_000_000_000
  const world = createWorld({
    instances: [facts({ instanceId, launchedAt, group })],
    edges: [{ id: 'a' }, { id: 'b' }],
  })
  world.memory.lifecycleActions.begin({
    ...{ group, hook, instanceId, token: present(token, 'token') },
    ...{ heartbeatTimeoutSeconds: 300, defaultResult: 'ABANDON' },
  })
  // Its deadline has not come.
  const hold = { ...drain.hold, until: world.clock.now() + 10 * minutes }
  for (let version = 1; version <= drain.version; version += 1)
    await world.memory.store.putDrain({ ...drain, hold, version })
  await world.memory.store.putHold(hold)
  await world.memory.store.raiseWanted()
  await world.settle()
  return world
}

interface Outcome {
  readonly next: WorkflowPayload['next']
  readonly phase: Drain['phase']['name']
  readonly published: readonly string[]
  /** how its action ended */
  readonly result?: string
  readonly heldBy: string
}
const byAction = 'lifecycle/i-0a1b2c3d4e5f60718/drain'
const then: Readonly<Record<string, Outcome>> = {
  'claimed.json': { next: 'observe', phase: 'draining', published: ['Drain Started'], heldBy: byAction },
  'draining.json': { next: 'observe', phase: 'draining', published: ['Drain Progress'], heldBy: byAction },
  // What rests on calls is looked at anew.
  'completing.json': { next: 'observe', phase: 'draining', published: ['Drain Progress'], heldBy: byAction },
  'completing-abandon.json': {
    ...{ next: 'observe', phase: 'retained', published: ['Instance Retained'] },
    ...{ result: 'ABANDON', heldBy: byAction },
  },
  'retired.json': {
    ...{ next: 'ended', phase: 'ended', published: ['Drain Ended'] },
    heldBy: 'retired/i-0a1b2c3d4e5f60718/drain',
  },
  'ended.json': {
    ...{ next: 'ended', phase: 'ended', published: [] },
    heldBy: 'retired/i-0a1b2c3d4e5f60718/drain',
  },
}

test.each(samples)('a look takes up what 0.1.0 begins with $next, at $file', async ({ file, payload }) => {
  const world = await upgraded(file)
  const { payload: input } = stepInput(workflowInput.parse(payload))
  const { drainId, attempt } = input
  const { next, ...rest } = await look(world.ports, input)
  const { phase } = present(await world.memory.store.drain(drainId), 'drain')
  const result = world.ended().at(0)?.result
  expect({
    ...{ next, phase: phase.name, heldBy: (await world.heldBy()).join() },
    published: world.memory.events.published.map(({ type }) => type),
    ...(result && { result }),
  }).toEqual(then[file])
  expect(rest).toMatchObject({ drainId, attempt })
})

test('the end that a row of 0.1.0 had not published is saved before it is, with an id as every event has', async () => {
  const world = await upgraded('retired.json')
  const { payload } = present(
    samples.find(({ file }) => file === 'retired.json'),
    'sample',
  )
  await look(world.ports, stepInput(workflowInput.parse(payload)).payload)
  expect(world.memory.events.of('Drain Ended')).toMatchObject([
    { eventId: expect.any(String), happenedAt: expect.any(Number) },
  ])
})

test('there is a payload for each step that 0.1.0 has, and for the one that it took over', () => {
  const steps = ['begin', 'observe', 'complete', 'retire', 'ended']
  expect(new Set(some(samples).map(({ next }) => next))).toEqual(new Set(steps))
})
