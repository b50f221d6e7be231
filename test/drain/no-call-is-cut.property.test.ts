import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeadlinePolicy } from '../../functions/control/deadline.ts'
import { message } from '../contracts/event-files.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { present, some } from '../present.ts'
import {
  config,
  createWorld,
  everywhere,
  minutes,
  reloadedByStranger,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const longestCall = 20 * minutes
const within = 60 * seconds

interface Happening {
  readonly after: number
  readonly edge: number
  readonly what: (typeof kinds)[number]
  readonly lasts: number
}
const kinds = [
  'invite',
  'call from the server',
  'restart',
  'reload by a stranger',
  'set_state by a stranger',
  'unreachable',
  'replies lost',
  'counts refused',
  'the store refuses',
  'the heartbeat is refused',
  'the event comes again',
] as const

const happening: fc.Arbitrary<Happening> = fc.record({
  after: fc.integer({ min: 0, max: 4 * minutes }),
  edge: fc.integer({ min: 0, max: 1 }),
  what: fc.constantFrom(...kinds),
  lasts: fc.integer({ min: 1 * seconds, max: longestCall }),
})

/** Calls as both of their ends know them, whatever an edge remembers. */
type Ledger = { edge: MemoryEdge; id: number; from: number; to: number; endedEarlyAt?: number }[]

function call(world: World, edge: MemoryEdge, ledger: Ledger, outbound: boolean, lasts: number): void {
  const id = outbound ? edge.callFrom('10.0.1.20') : callIn(edge)
  if (id === undefined) return
  ledger.push({ edge, id, from: world.age(), to: world.age() + lasts })
  world.clock.at(world.clock.now() + lasts, () => {
    if (edge.isUp(id)) edge.hangUp(id)
  })
}

/** Our own BYEs end a call for both of its ends. */
function watchByes(world: World, ledger: Ledger): void {
  for (const edge of world.edges) {
    const hangUp = edge.hangUp.bind(edge)
    edge.hangUp = (id) => {
      for (const one of ledger)
        if (one.edge === edge && one.id === id && world.age() < one.to)
          one.to = one.endedEarlyAt = world.age()
      hangUp(id)
    }
  }
}

type Entry = keyof ReturnType<typeof everywhere>

interface Policy {
  readonly deadline: number
  readonly deadlinePolicy: DeadlinePolicy
}
const policies: fc.Arbitrary<Policy> = fc.record({
  deadline: fc.constantFrom(10 * minutes, 60 * minutes),
  deadlinePolicy: fc.record({
    callsLeft: fc.constantFrom('retain', 'end-calls', 'terminate'),
    unknown: fc.constantFrom('retain', 'terminate'),
  }),
})

/** From when on this policy may let an instance go that has calls. */
function mayCutFrom({ deadline, deadlinePolicy: { callsLeft, unknown } }: Policy): number {
  if (callsLeft === 'terminate' || unknown === 'terminate') return deadline
  return callsLeft === 'end-calls' ? deadline + within : Number.POSITIVE_INFINITY
}

/** An INVITE goes where the edge sends it; only those that the server gets are of interest. */
function callIn(edge: MemoryEdge): number | undefined {
  const routed = [edge.invite(1), edge.invite(1)]
  for (const other of routed) if (other && other.uri !== server) edge.hangUp(other.call)
  const [mine, second] = routed.flatMap((one) => (one?.uri === server ? [one.call] : []))
  if (second !== undefined) edge.hangUp(second)
  return mine
}

async function happen(world: World, ledger: Ledger, { edge: index, what, lasts }: Happening): Promise<void> {
  const edge = present(world.edges[index], `edge ${index}`)
  const misbehave = (misbehaviour: MemoryEdge['misbehaviour']) => {
    edge.misbehaviour = misbehaviour
    world.clock.at(world.clock.now() + lasts / 4, () => {
      edge.misbehaviour = {}
    })
  }
  switch (what) {
    case 'invite':
    case 'call from the server':
      return call(world, edge, ledger, what === 'call from the server', lasts)
    case 'restart':
      return edge.restart()
    case 'reload by a stranger':
      return reloadedByStranger(edge)
    case 'set_state by a stranger':
      return edge.strangerSets('a', 1, server)
    case 'unreachable':
      return misbehave({ unreachable: true })
    case 'replies lost':
      return misbehave({ losesReplies: true })
    case 'counts refused':
      return misbehave({ faults: { 'dlg.profile_get_size': 'unsupported' } })
    case 'the store refuses':
      return world.memory.store.failNext('putDrain', new Error('throttled'), lasts % 2 ? 'before' : 'after')
    case 'the heartbeat is refused':
      return world.memory.lifecycleActions.failNext('heartbeat', new Error('throttled'))
    case 'the event comes again':
      return world.deliver(() => world.lifecycle(message('lifecycle-terminate-scale-in')))
    default:
      return what satisfies never
  }
}

test('whatever happens to the edges, no instance goes while a call is up but by its policy, and no call is ended but by it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 3, maxLength: 14 }),
      fc.boolean(),
      policies,
      async (happenings, restoresDialogs, policy) => {
        const world = createWorld({
          edges: [{ id: 'edge-a', restoresDialogs }, { id: 'edge-b' }],
          config: {
            groups: config.groups.map((group) => ({
              ...group,
              drainDeadlineSeconds: policy.deadline / seconds,
              deadlinePolicy: policy.deadlinePolicy,
              ...(policy.deadlinePolicy.callsLeft === 'end-calls' && {
                endCalls: { perStep: 1, withinSeconds: within / seconds },
              }),
            })),
            timers: { failoverWindowSeconds: 10, longestCallSeconds: longestCall / seconds },
          },
        })
        const ledger: Ledger = []
        watchByes(world, ledger)
        const a = world.edge('edge-a')
        call(world, a, ledger, false, 3 * minutes)
        await world.scaleIn()
        await world.pass(5 * seconds)
        for (const one of happenings) {
          await world.pass(one.after)
          await happen(world, ledger, one)
        }
        await world.until((record) => record?.state === 'ended')
        await world.pass(5 * minutes)
        world.stop()

        const completed = world.ended().filter(({ by }) => by === 'completion')
        expect(completed.length).toBeLessThanOrEqual(1)
        const terminated = world.memory.lifecycleActions.terminated.map(({ at }) => at - world.startedAt)
        const goes = [
          ...completed.filter(({ result }) => result === 'CONTINUE').map(({ at }) => at),
          ...terminated,
        ]
        // Nobody can see the call that the server places while it is being let go.
        const callsUp = (at: number) =>
          ledger.filter(({ from, to }) => from + 1 * seconds <= at && at < to).length
        expect(goes.filter((at) => at < mayCutFrom(policy) && callsUp(at) > 0)).toEqual([])
        // A retained instance goes when its calls are over, and then only.
        expect(terminated.filter((at) => callsUp(at) > 0)).toEqual([])
        const mayEndFrom =
          policy.deadlinePolicy.callsLeft === 'end-calls' ? policy.deadline : Number.POSITIVE_INFINITY
        expect(
          ledger.filter(({ endedEarlyAt }) => endedEarlyAt !== undefined && endedEarlyAt < mayEndFrom),
        ).toEqual([])
        // What a stranger set is given back, too.
        const given = happenings.flatMap(({ what, edge }) =>
          what === 'set_state by a stranger' ? [`${present(world.edges[edge], `edge ${edge}`).id}/1`] : [],
        )
        for (const [entry, flags] of some(Object.entries(await world.formerFlags())))
          expect(given.includes(entry) ? ['AP', 'AX'] : [everywhere('AP', 'IP')[entry as Entry]]).toContain(
            flags,
          )
        expect(Object.keys(await world.formerFlags()).sort()).toEqual(Object.keys(everywhere('AP')).sort())
      },
    ),
    { numRuns: 80 },
  )
})

test('the referee can fail: an edge that lies about its calls makes us cut one', async () => {
  const world = createWorld({ edges: [{}] })
  const ledger: Ledger = []
  const edge = world.edge('edge-a')
  call(world, edge, ledger, false, 20 * minutes)
  await world.scaleIn()
  edge.misbehaviour = { claimsCalls: 0 }
  await world.until((record) => record?.state === 'ended')
  const [completed] = world.ended()
  expect(ledger.filter(({ to }) => present(completed, 'completion').at < to)).toHaveLength(1)
})
