import { beforeAll, describe, expect, test } from 'vitest'
import type { Activity } from '../../lab/auto-scaling/auto-scaling-groups.ts'
import { defaultEmulator } from '../../lab/emulator/emulators.ts'
import { isDisabled } from '../../lab/referee/flag-history.ts'
import { outcomeOf, sendCommands, wellFormed } from '../../lab/scenarios/operator.ts'
import { untilBusy, untilDisabled, waitFor } from '../../lab/scenarios/stage.ts'
import { callsUp } from '../../lab/sip/call-record.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { isLongCaller, type Traffic } from '../../lab/sip/traffic.ts'
import { listEdge, unlistEdge } from '../../lab/world/edge-list.ts'
import { instanceOf, type Machine } from '../../lab/world/machines.ts'
import { present } from '../present.ts'
import { logsOf } from './leak-search.ts'
import { sharedWorld } from './shared-world.ts'

// LocalStack has no roles.
const world = sharedWorld({ auth: defaultEmulator() === 'ministack' })
const patience = 60_000
let added: Edge
let throughIt: Traffic

beforeAll(async () => {
  added = await world().addEdge({ name: 'edge-c', address: '127.0.1.3', restoresDialogs: true })
  throughIt = await world().callThrough(added)
})

const parameter = () => JSON.stringify({ url: added.rpcUrl, restoresDialogs: true })

interface Drain {
  readonly machine: Machine
  readonly server: string
  readonly activity: Activity
  /** when edge-a and edge-b showed it disabled */
  readonly disabledAt: number
}

async function scaleIn(name: string): Promise<Drain> {
  const machine = world().machines.named(name)
  await untilBusy(world(), machine)
  const since = Date.now()
  const activity = await world().autoScaling.terminate(instanceOf(machine).id, { deliver: 'once' })
  const disabledAt = await untilDisabled(world(), machine, since)
  if (disabledAt === undefined) throw new Error(`${name} was never disabled`)
  return { machine, server: machine.serverName, activity, disabledAt }
}

const callsOf = (server: string) =>
  world()
    .ledger.calls()
    .filter((call) => call.server === server)
const lastBye = (server: string) => Math.max(...callsOf(server).map(({ byeAtServerAt = 0 }) => byeAtServerAt))
const upThroughIt = (server: string) =>
  callsUp(
    callsOf(server).filter(({ edge }) => edge === added.name),
    server,
    Date.now(),
  )
const eventsOf = (type: string) =>
  world()
    .controlEvents.all()
    .filter((event) => event.type === type)
const progressOf = ({ machine }: Drain) =>
  eventsOf('Drain Progress').filter(({ detail }) => detail.instanceId === instanceOf(machine).id)

async function showsDisabled({ uri }: Machine): Promise<boolean> {
  const entries = (await added.list()).filter((entry) => entry.uri === uri)
  return isDisabled(new Map(entries.map(({ set, flags }) => [set, flags])))
}

/** The simulator's word on how it ended: by our CONTINUE, after the last BYE, with no call cut. */
async function expectDrained({ server, activity }: Drain): Promise<void> {
  await Promise.all(activity.actions.map(({ ended }) => ended))
  world().ledger.sync()
  const end = activity.actions[0]?.end
  expect(end).toMatchObject({ result: 'CONTINUE', cause: 'completed' })
  expect(end?.at).toBeGreaterThanOrEqual(lastBye(server))
  expect(callsOf(server).filter(({ outcome }) => outcome === 'cut')).toEqual([])
}

describe('an edge that is listed in the middle of a drain', () => {
  test('gets the holds, and its calls are waited for', async () => {
    const drain = await scaleIn('long-2')
    const { machine, server, disabledAt } = drain
    // Nobody knows the edge, so it goes on sending calls: this one will be the last to end.
    const late = () =>
      callsOf(server).some(
        ({ edge, caller, answeredAt = 0 }) =>
          edge === added.name && isLongCaller(caller) && answeredAt > disabledAt,
      )
    expect(await waitFor(patience, late)).toBe(true)
    await listEdge(world(), added.name, parameter(), 'Create')
    expect(await waitFor(patience, () => showsDisabled(machine))).toBe(true)
    const heldAt = Date.now()
    await expectDrained(drain)
    expect(callsOf(server).filter(({ placedAt = 0 }) => placedAt > heldAt)).toEqual([])
    expect(callsOf(server).find(({ byeAtServerAt }) => byeAtServerAt === lastBye(server))?.edge).toBe(
      added.name,
    )
    expect(eventsOf('Edge List Changed').at(-1)?.detail).toMatchObject({
      edges: ['edge-a', 'edge-b', 'edge-c'],
    })
  })
})

describe('an edge that is taken off the list in the middle of a drain', () => {
  let drain: Drain

  test('is not forgotten: when all calls are over, the drain still waits for what it may carry', async () => {
    drain = await scaleIn('long-3')
    expect(await waitFor(patience, () => showsDisabled(drain.machine))).toBe(true)
    expect(
      await waitFor(patience, () => progressOf(drain).some(({ detail }) => (detail.callsLeft ?? 0) > 0)),
    ).toBe(true)
    expect(upThroughIt(drain.server)).toBeGreaterThan(0)
    await unlistEdge(world(), added.name)
    const isOver = () => callsUp(callsOf(drain.server), drain.server, Date.now()) === 0
    expect(await waitFor(patience, isOver)).toBe(true)
    // Far longer than it takes to be sure of edges that can be asked.
    const sure = lastBye(drain.server) + 10_000
    const isEmpty = () => progressOf(drain).at(-1)?.detail.callsLeft === 0
    expect(await waitFor(patience, () => Date.now() > sure && isEmpty())).toBe(true)
    expect(present(progressOf(drain).at(-1), 'progress').detail).toMatchObject({
      verdict: 'unknown',
      unknown: [expect.stringContaining('edge edge-c: no longer configured')],
    })
    expect(present(drain.activity.actions[0], 'lifecycle action').end).toBeUndefined()
  })

  test('is let go of by an operator, on record; one that is configured never is', async () => {
    const requestedBy = 'alice'
    const release = { version: 1, command: 'release', requestedBy, reason: 'its machine is lost' } as const
    await sendCommands(world(), [wellFormed({ ...release, id: 'release-a', edge: 'edge-a' })])
    expect(await waitFor(patience, () => eventsOf('Message Rejected').length > 0)).toBe(true)
    expect(eventsOf('Message Rejected').at(-1)?.detail).toMatchObject({
      error: 'CommandRefused',
      reason: expect.stringContaining('edge "edge-a" is configured'),
    })
    expect(present(drain.activity.actions[0], 'lifecycle action').end).toBeUndefined()

    expect(await outcomeOf(world(), { ...release, id: 'release-c', edge: added.name })).toMatchObject({
      result: 'released',
      requestedBy,
      reason: 'its machine is lost',
    })
    await expectDrained(drain)
    const why = 'its machine is lost'
    const sender = { id: expect.any(String) }
    expect(eventsOf('Edge Released').map(({ detail }) => detail)).toEqual([
      { edge: added.name, who: requestedBy, sender, why, version: 1 },
    ])
  })
})

describe('a bad edit of the list', () => {
  test('is a named error and a metric, and the list that was good stays in use', async () => {
    await listEdge(world(), 'edge-b', `{"url":"${added.rpcUrl}"`, 'Update')
    expect(await waitFor(patience, () => eventsOf('Edge List Refused').length > 0)).toBe(true)
    expect(eventsOf('Edge List Refused').at(-1)?.detail).toMatchObject({
      edges: ['edge-a', 'edge-b'],
      reason: expect.stringContaining('/dispatcher-control/edges/edge-b: is not JSON'),
    })
    const destination = world().machines.named('ms-2').uri
    const drain = { version: 1, id: 'drain-1', command: 'drain', destination } as const
    expect(
      await outcomeOf(world(), { ...drain, requestedBy: 'alice', reason: 'on the list that was good' }),
    ).toMatchObject({
      edges: [
        { edge: 'edge-a', outcome: 'applied' },
        { edge: 'edge-b', outcome: 'applied' },
      ],
    })
    const metric = async () =>
      (await logsOf(world())).some(({ text }) => text.includes('"EdgeListRefused":1'))
    expect(await waitFor(patience, metric, 1000)).toBe(true)
  })
})

test('over all of it no call failed and none was cut', async () => {
  await Promise.all([throughIt.finish(30_000), world().traffic().finish(30_000)])
  world().ledger.sync()
  expect(world().ledger.totals()).toMatchObject({ cut: 0, failed: 0, up: 0 })
})
