import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { leaseKey } from '../../functions/aws/dynamo-leases.ts'
import { createDynamoStore } from '../../functions/aws/dynamo-store.ts'
import { readable } from '../../functions/control/reading.ts'
import type { Store } from '../../functions/ports/store.ts'
import { createClock } from '../../functions/runtime/clock.ts'
import { defaultEmulator } from '../../lab/emulator/emulators.ts'
import { killFunctions } from '../../lab/emulator/function-process.ts'
import { plan } from '../../lab/plan/fleet-plan.ts'
import type { Problem } from '../../lab/referee/evidence.ts'
import { isDisabled } from '../../lab/referee/flag-history.ts'
import { judge } from '../../lab/referee/referee.ts'
import { sendCommands, wellFormed } from '../../lab/scenarios/operator.ts'
import {
  drainBase,
  untilActive,
  untilBusy,
  untilDisabled,
  untilProven,
  waitFor,
} from '../../lab/scenarios/stage.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { RpcFault } from '../../lab/sip/edge-rpc.ts'
import type { Machine } from '../../lab/world/machines.ts'
import { output } from '../../lab/world/world-aws.ts'
import { present, some } from '../present.ts'
import {
  allDone,
  batchDone,
  checkedWays,
  type Done,
  leaseStillHeld,
  leaseTaken,
  readBack,
  readingStored,
  recordsWritten,
  type Step,
} from './settle-steps.ts'
import { sharedWorld } from './shared-world.ts'

// The processes of a named endpoint are not ours to kill.
const emulator = defaultEmulator() instanceof URL ? 'ministack' : defaultEmulator()
const { options, ways } = checkedWays()
const world = sharedWorld({ emulator, ...options })
const patience = 30_000
let documents: DynamoDBDocumentClient
let store: Store

beforeAll(() => {
  documents = DynamoDBDocumentClient.from(new DynamoDBClient(world().emulator.client))
  const table = output(world().outputs, 'TableName')
  store = createDynamoStore({ documents, table, clock: createClock(), random: Math.random })
})
afterAll(() => documents.destroy())

const leaseRow = z.object({
  data: z.object({ owner: z.string(), until: z.number(), generation: z.number() }),
})
type Lease = z.output<typeof leaseRow>['data']

async function leaseOf(edge: string): Promise<Lease> {
  const Key = { ...leaseKey(edge) }
  const TableName = output(world().outputs, 'TableName')
  const { Item } = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }))
  return leaseRow.parse(Item).data
}

async function doneOn(edge: Edge, machine: Machine): Promise<Done[]> {
  const { uri } = machine
  const records = (await store.edgeRecords(edge.name)) ?? []
  const listed = (await edge.list()).filter((entry) => entry.uri === uri)
  const { entries } = present(readable(await store.reading(edge.name)), `reading of ${edge.name}`)
  const seen: Record<Done, boolean> = {
    'put on record': records.some((record) => record.uri === uri),
    guarded: await isGuarded(edge, machine),
    disabled: isDisabled(new Map(listed.map(({ set, flags }) => [set, flags]))),
    'read and stored': entries.some(({ uri: its, after }) => its === uri && after.startsWith('D')),
  }
  return allDone.filter((each) => seen[each])
}

async function isGuarded(edge: Edge, { uri }: Machine): Promise<boolean> {
  try {
    await edge.call('htable.get', ['held', uri])
    return true
  } catch (error) {
    if (error instanceof RpcFault && error.message.includes(`Key name doesn't exist`)) return false
    throw error
  }
}

/** @returns in words what a drain that is over must not leave */
async function leftOf(machine: Machine): Promise<string[]> {
  const inForce = (await store.holds()).filter(({ lifted }) => !lifted)
  const found = inForce.map(({ id }) => `the hold ${id}`)
  for (const edge of world().edges) {
    const { owner, until } = await leaseOf(edge.name)
    const records = (await store.edgeRecords(edge.name)) ?? []
    if (owner !== '' || until > 0) found.push(`the lease of ${edge.name}`)
    if (await isGuarded(edge, machine)) found.push(`the guard of ${edge.name}`)
    found.push(...records.map(({ kind, uri }) => `a record of ${edge.name}: ${kind} ${uri}`))
  }
  return found
}

async function untilNothingIsLeftOf(machine: Machine): Promise<void> {
  await waitFor(patience, async () => (await leftOf(machine)).length === 0)
}

/**
 * How one edge was found after the kill: how long its lease still was, and how long after its end another run
 * took it.
 */
interface Killed {
  readonly done: readonly Done[]
  readonly leaseLeftMs: number
  readonly takenAfterMs: number | undefined
}

async function afterTheKill(edge: Edge, machine: Machine, killedAt: number): Promise<Killed> {
  const { until, generation } = await leaseOf(edge.name)
  const done = await doneOn(edge, machine)
  const isTaken = async () => (await leaseOf(edge.name)).generation > generation
  const takenAfterMs = (await waitFor(patience + minuteMs, isTaken, 50)) ? Date.now() - until : undefined
  return { done, leaseLeftMs: until - killedAt, takenAfterMs }
}

interface Drained {
  readonly edges: readonly Killed[]
  readonly isConfirmed: boolean
  /** calls of the server that were up at the kill */
  readonly calls: readonly CallRecord[]
  readonly problems: readonly Problem[]
  readonly left: readonly string[]
}

/**
 * Drains a server, and kills settle when it has come to its step on each edge. What comes of it is waited
 * for, and given back.
 */
async function drainKilled(machine: Machine, steps: readonly Step[]): Promise<Drained> {
  const { edges, flags, ledger, controlEvents } = world()
  const { name } = machine.plan
  const command = { version: 1, destination: machine.uri, requestedBy: 'the lab' } as const
  await untilBusy(world(), machine)
  await untilNothingIsLeftOf(machine)
  const base = drainBase(world(), machine, `settle is killed: ${name}`, 'drain')
  const stops = edges.flatMap((edge, index) => steps[index]?.stop(ways(), edge.name) ?? [])
  await sendCommands(world(), [
    wellFormed({ ...command, id: `drain-${name}`, command: 'drain', reason: 'settle is killed' }),
  ])
  await Promise.all(stops.map(({ reached }) => reached))
  await killFunctions(
    world().emulator,
    stops.flatMap(({ waiting }) => waiting()),
  )
  const killedAt = Date.now()
  for (const { lift } of stops) lift()
  const killed = await Promise.all(edges.map((edge) => afterTheKill(edge, machine, killedAt)))

  const disabledAt = await untilDisabled(world(), machine, base.triggeredAt)
  const isConfirmed = await waitFor(patience, () =>
    controlEvents.all().some(({ type, at, detail }) => {
      return type === 'Drain Confirmed' && at > killedAt && detail.uris?.includes(machine.uri)
    }),
  )
  await untilProven(world(), disabledAt ?? killedAt)
  const restoreAt = Date.now()
  await sendCommands(world(), [wellFormed({ ...command, id: `activate-${name}`, command: 'activate' })])
  await untilActive(world(), machine, restoreAt, base.triggeredAt)
  await untilNothingIsLeftOf(machine)

  ledger.sync()
  const evidence = { ...base, restoreAt, watchedUntil: Date.now(), problems: [] }
  return {
    edges: killed,
    isConfirmed,
    calls: ledger.calls().filter((call) => call.server === base.server && wasUp(call, killedAt)),
    problems: judge(evidence, { calls: ledger.calls(), flagsOf: (uri) => flags.history(uri) }).problems,
    left: await leftOf(machine),
  }
}

function wasUp({ answeredAt, byeAtServerAt = Number.POSITIVE_INFINITY }: CallRecord, at: number): boolean {
  return answeredAt !== undefined && answeredAt <= at && byeAtServerAt > at
}

/** A lease, and the wait after one that was not given up (docs/architecture.md, "How settle works"). */
const leaseMs = 4 * plan.rpcTimeoutSeconds * 1000
const waitsMs = plan.rpcTimeoutSeconds * 1000 + 2000
/**
 * A look asks again after an RPC timeout, and may end just before that; then the next one is waited for, and
 * started.
 */
const askedEveryMs = (plan.rpcTimeoutSeconds + plan.maxWaitSeconds + 1) * 1000
/** Where all that is wanted was read, nobody needs the edge before the minute's settle. */
const minuteMs = 62_000

/**
 * One step for each edge: a kill for each step would take twice as long, most of it the wait for the end of a
 * lease.
 */
describe.each([
  { server: 'ms-1', steps: [leaseTaken, readBack] },
  { server: 'ms-2', steps: [recordsWritten, batchDone] },
  { server: 'ms-3', steps: [readingStored, leaseStillHeld] },
])('settle killed when $steps.0.name on edge-a, and $steps.1.name on edge-b', ({ server, steps }) => {
  let drained: Drained
  beforeAll(async () => {
    drained = await drainKilled(world().machines.named(server), steps)
  }, 180_000)

  test('has come no further', () => {
    expect(drained.edges.map(({ done }) => done)).toEqual(steps.map(({ done }) => done))
  })

  test('is followed by another run, which waits until nothing of it can arrive, and no longer', () => {
    for (const { done, leaseLeftMs, takenAfterMs } of some(drained.edges)) {
      const neededWithinMs = done.includes('read and stored') ? minuteMs : askedEveryMs
      expect(leaseLeftMs).toBeGreaterThan(0)
      expect(leaseLeftMs).toBeLessThanOrEqual(leaseMs)
      expect(takenAfterMs).toBeGreaterThanOrEqual(waitsMs)
      expect(takenAfterMs).toBeLessThan(waitsMs + neededWithinMs * world().emulator.slowness)
    }
  })

  test('costs no call: the server gets none once it is disabled everywhere, and keeps those that it has', () => {
    expect(drained.isConfirmed).toBe(true)
    expect(drained.calls.length).toBeGreaterThan(0)
    expect(drained.calls.filter(({ outcome }) => outcome !== 'ended')).toEqual([])
    expect(drained.problems).toEqual([])
  })

  test('leaves nothing behind once the server is given back', () => {
    expect(drained.left).toEqual([])
  })
})
