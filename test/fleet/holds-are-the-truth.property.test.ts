import fc from 'fast-check'
import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { present } from '../present.ts'
import {
  command,
  createWorld,
  everywhere,
  instanceId,
  minutes,
  neighbour,
  reloadedByStranger,
  seconds,
  server,
  type World,
} from '../world/world.ts'

/** What operators and alarms say, each with what it leaves of the hold that it speaks of. */
const requested = {
  'drain the destination': { hold: 'operator/10.0.1.20:5060;udp/alice', placed: true },
  'activate the destination': { hold: 'operator/10.0.1.20:5060;udp/alice', placed: false },
  'drain the instance': { hold: `operator/${instanceId}/alice`, placed: true },
  'activate the instance': { hold: `operator/${instanceId}/alice`, placed: false },
  alarm: { hold: 'alarm/media-server-cpu', placed: true },
  ok: { hold: 'alarm/media-server-cpu', placed: false },
} as const
type Requested = keyof typeof requested
const trouble = [
  'restart',
  'reload',
  'unreachable',
  'replies lost',
  'busy',
  'reload by us',
  'a write is lost',
] as const
type Trouble = (typeof trouble)[number]
const lostWrites = [
  'putHold',
  'putDrain',
  'raiseWanted',
  'takeEdge',
  'edgeRecords',
  'putEdgeRecords',
  'putReading',
  'putPendingOutcome',
  'giveUpEdge',
] as const
type LostWrite = (typeof lostWrites)[number]

interface Happening {
  readonly after: number
  readonly what: Requested | Trouble
  readonly edge: number
  readonly lasts: number
  readonly write: LostWrite
  readonly when: 'before' | 'after'
}
const happening: fc.Arbitrary<Happening> = fc.record({
  // often at once, so that runs meet each other
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 2 * minutes })),
  what: fc.oneof(fc.constantFrom(...(Object.keys(requested) as Requested[])), fc.constantFrom(...trouble)),
  edge: fc.integer({ min: 0, max: 1 }),
  lasts: fc.integer({ min: 1 * seconds, max: 3 * minutes }),
  write: fc.constantFrom(...lostWrites),
  when: fc.constantFrom('before', 'after'),
})

/** An edge may be away for minutes. */
const redeliveredMs = 10 * seconds

function send(world: World, what: Requested, n: number): Promise<void> {
  const at = `2026-11-22T19:${String(10 + n)}:00.000+0000`
  const alarm = (name: string) => {
    const event = JSON.parse(message(name))
    event.detail.state.timestamp = at
    return world.deliver(() => world.alarm(JSON.stringify(event)), redeliveredMs)
  }
  const ask = (body: object) => world.deliver(() => world.command(body, n), redeliveredMs)
  const id = `c-${n}`
  switch (what) {
    case 'drain the destination':
      return ask(command('command-drain-destination', { id }))
    case 'activate the destination':
      return ask({
        version: 1,
        id,
        command: 'activate',
        destination: server,
        holdId: '10.0.1.20:5060;udp/alice',
        requestedBy: 'bob',
      })
    case 'drain the instance':
      return ask(command('command-drain-instance', { id }))
    case 'activate the instance':
      return ask({
        version: 1,
        id,
        command: 'activate',
        instance: instanceId,
        holdId: `${instanceId}/alice`,
        requestedBy: 'bob',
      })
    case 'alarm':
      return alarm('alarm-metric-alarm')
    case 'ok':
      return alarm('alarm-metric-ok')
    default:
      return what satisfies never
  }
}

async function disturb(world: World, one: Happening & { what: Trouble }, n: number): Promise<void> {
  const edge = present(world.edges[one.edge], `edge ${one.edge}`)
  const misbehave = (misbehaviour: MemoryEdge['misbehaviour']) => {
    edge.misbehaviour = { latencyMs: 50, ...misbehaviour }
    world.clock.at(world.clock.now() + one.lasts, () => {
      edge.misbehaviour = { latencyMs: 50 }
    })
  }
  switch (one.what) {
    case 'restart':
      return edge.restart()
    case 'reload':
      return reloadedByStranger(edge)
    case 'unreachable':
      return misbehave({ unreachable: true })
    case 'replies lost':
      return misbehave({ losesReplies: true })
    case 'busy':
      return misbehave({ faults: { 'dispatcher.set_state': 'busy' } })
    case 'reload by us':
      return world.deliver(
        () => world.command(command('command-reload', { id: `reload-${n}` }), n),
        redeliveredMs,
      )
    case 'a write is lost':
      return world.memory.store.failNext(one.write, new Error('killed'), one.when)
    default:
      return one.what satisfies never
  }
}

const isRequested = (what: Happening['what']): what is Requested => what in requested
const isTrouble = (one: Happening): one is Happening & { what: Trouble } => !isRequested(one.what)

test('whatever is said and goes wrong at once, in the end every edge shows what the holds say, and what it showed before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 2, maxLength: 12 }), async (happenings) => {
      const world = createWorld()
      await world.settledAll()
      for (const edge of world.edges) edge.misbehaviour = { latencyMs: 50 }
      const expected = new Map<string, boolean>()
      const work: Promise<void>[] = []
      for (const [n, one] of happenings.entries()) {
        await world.pass(one.after)
        if (isRequested(one.what)) {
          expected.set(requested[one.what].hold, requested[one.what].placed)
          work.push(send(world, one.what, n))
        } else if (isTrouble(one)) work.push(disturb(world, one, n))
      }
      await Promise.all(work)
      await world.pass(10 * minutes)
      // An edge that was away is settled by the schedule, also when no drain runs any more.
      for (const _ of ['a minute', 'another']) {
        await world.pass(1 * minutes)
        await world.deliver(() => world.reconcile(), redeliveredMs)
      }
      world.stop()
      // what was planned and never came would hit the reads below
      for (const _ of happenings)
        await world.memory.store.edgeRecords('').catch((error: Error) => error.message)
      const held = [...expected].filter(([, placed]) => placed).map(([hold]) => hold)
      expect(await world.heldBy()).toEqual(held.sort())
      expect(world.flags(neighbour)).toEqual(everywhere('AP', 'AX'))
      expect(world.flags()).toEqual(held.length > 0 ? everywhere('DX') : everywhere('AP', 'IP'))
      const guards = world.edges.flatMap((edge) => edge.truth().held)
      expect(guards.length > 0).toBe(held.length > 0)
    }),
    { numRuns: 15, seed: 4711 },
  )
})
