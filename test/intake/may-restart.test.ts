import { describe, expect, test } from 'vitest'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { drain } from '../world/clearance-world.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const ask = (world: World, changes: Readonly<Record<string, unknown>> = {}) =>
  world.command(command('command-may-restart', changes))
const alices = 'operator/10.0.1.20:5060;udp/alice'
const restoring = { edges: [{ id: 'edge-a', restoresDialogs: true }, { id: 'edge-b' }] }

/** A world whose group is as the other, but for these settings. */
const ofGroup = (changes: Partial<ControlConfigInput['groups'][number]>) =>
  createWorld({ config: { groups: config.groups.map((group) => ({ ...group, ...changes })) } })

test('an edge without calls and drains may restart; drains that begin soon after it are warned of', async () => {
  const world = createWorld()
  expect(await ask(world)).toEqual({
    ...{ version: 1, id: 'change-4711', command: 'may-restart', requestedBy: 'alice', edge: 'edge-a' },
    sender: expect.anything(),
    ...{ result: 'yes', calls: 0, restoresDialogs: false, readAt: expect.any(Number) },
    findings: [{ finding: 'later-drains', means: 'note', words: expect.stringContaining('within 7200 s') }],
  })
})

describe('calls that are up on it', () => {
  test('are forgotten by an edge that restores no dialogs, whoever has them: no', async () => {
    const world = createWorld()
    world.edge('edge-a').callTo('sip:10.0.1.21:5060')
    world.edge('edge-a').callUncounted()
    expect(await ask(world)).toMatchObject({
      ...{ result: 'no', calls: 2 },
      findings: [{ finding: 'calls-up', means: 'no' }, { finding: 'later-drains' }],
    })
    expect(await ask(world, { id: 'another', edge: 'edge-b' })).toMatchObject({ result: 'yes', calls: 0 })
  })

  test('are counted again by one that restores them: yes', async () => {
    const world = createWorld(restoring)
    world.edge('edge-a').callTo(server)
    expect(await ask(world)).toMatchObject({
      ...{ result: 'yes', calls: 1, restoresDialogs: true },
      findings: [{ finding: 'calls-up', means: 'note' }],
    })
  })

  test('are those of now, and not of the last reading', async () => {
    const world = createWorld()
    const call = world.edge('edge-a').callTo(server)
    await world.settle()
    await world.pass(1 * seconds)
    world.edge('edge-a').hangUp(call)
    expect(await ask(world)).toMatchObject({ result: 'yes', calls: 0 })
  })

  test('are unknown on an edge without call profiles: its total may count nothing', async () => {
    const edge = { id: 'edge-a', profiles: [], dialogs: false }
    expect(await ask(createWorld({ edges: [edge] }))).toMatchObject({
      result: 'unknown',
      findings: [{ finding: 'calls-unknown', means: 'unknown' }, {}],
    })
  })
})

describe('a drain that is under way', () => {
  test('would wait for the longest call: no; and it does, where the edge is restarted all the same', async () => {
    const world = createWorld()
    const call = world.edge('edge-b').callTo(server)
    await world.scaleIn()
    await world.pass(2 * minutes)
    expect(await ask(world)).toMatchObject({
      ...{ result: 'no', calls: 0 },
      findings: [
        { finding: 'drains-held-up', means: 'no', drains: [drainId] },
        { finding: 'zeros-forgotten', means: 'note', drains: [drainId] },
        { finding: 'later-drains' },
        { finding: 'holds-forgotten', means: 'note', words: expect.stringMatching(/^2 held entries/) },
      ],
    })
    world.edge('edge-a').restart()
    world.edge('edge-b').hangUp(call)
    await world.pass(15 * minutes)
    expect(world.ended()).toEqual([])
  })

  test('goes on where dialogs are restored: yes; and it does', async () => {
    const world = createWorld(restoring)
    const call = world.edge('edge-b').callTo(server)
    await world.scaleIn()
    await world.pass(2 * minutes)
    const asked = await ask(world)
    expect(asked).toMatchObject({ result: 'yes' })
    expect(asked).not.toMatchObject({ findings: expect.arrayContaining([{ finding: 'drains-held-up' }]) })
    world.edge('edge-a').restart()
    world.edge('edge-b').hangUp(call)
    await world.pass(5 * minutes)
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  })

  test('is not held up where the media server shows its own count', async () => {
    const callCount = { kind: 'asterisk', user: 'control', passwordParameter: '/ari' } as const
    const world = ofGroup({ callCount })
    world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 1 })
    await world.scaleIn()
    await world.pass(2 * minutes)
    expect(await ask(world)).toMatchObject({ result: 'yes' })
  })

  test('is empty: an operator keeps it, and nothing waits for it', async () => {
    const world = createWorld()
    await world.command(drain(server))
    await world.until((record) => record?.state === 'drained', alices)
    expect(await ask(world)).toMatchObject({
      result: 'yes',
      findings: [{ finding: 'later-drains' }, { finding: 'holds-forgotten' }],
    })
  })

  test('whose calls it is ending makes it no, also where dialogs are restored', async () => {
    const world = createWorld({
      ...restoring,
      config: {
        groups: config.groups.map((group) => ({
          ...{ ...group, drainDeadlineSeconds: 300 },
          deadlinePolicy: { callsLeft: 'end-calls', unknown: 'terminate' },
          endCalls: { perStep: 1, withinSeconds: 600 },
        })),
      },
    })
    for (let call = 0; call < 40; call++) world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(6 * minutes)
    expect(await ask(world)).toMatchObject({
      result: 'no',
      findings: expect.arrayContaining([
        expect.objectContaining({ finding: 'ending-calls', means: 'no', drains: [drainId] }),
      ]),
    })
    expect(await ask(world, { id: 'another', edge: 'edge-b' })).not.toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ finding: 'ending-calls' })]),
    })
  })
})

describe('what is not read now is unknown', () => {
  test('with the reason, where it can not be read', async () => {
    const world = createWorld()
    world.edge('edge-a').misbehaviour = { unreachable: true }
    expect(await ask(world)).toMatchObject({
      result: 'unknown',
      findings: [{ finding: 'unreadable', means: 'unknown', words: expect.stringContaining('unreachable') }],
    })
  })

  test('where another run has the edge all the while', async () => {
    const world = createWorld()
    await world.settledAll()
    const now = world.clock.now()
    await world.memory.store.takeEdge('edge-a', 'somebody', now, now + 10 * minutes)
    await world.pass(1 * seconds)
    expect(await ask(world)).toMatchObject({
      result: 'unknown',
      findings: [{ finding: 'unreadable', words: 'it was not read in time: ask again' }],
    })
  })

  test('another edge that can not be read is nothing to it', async () => {
    const world = createWorld()
    world.edge('edge-b').misbehaviour = { unreachable: true }
    expect(await ask(world)).toMatchObject({ result: 'yes' })
  })
})

test('an edge that nobody knows is refused, with the names of those that there are', async () => {
  await expect(ask(createWorld(), { edge: 'edge-z' })).rejects.toMatchObject({
    name: 'CommandRefused',
    message: 'no edge is called "edge-z"; there are: edge-a, edge-b',
  })
})

test('its dry run is the same, and comes twice as well', async () => {
  const world = createWorld()
  const first = await world.command(command('command-may-restart', { dryRun: true }), 1)
  expect(first).toMatchObject({ result: 'yes' })
  expect(await world.command(command('command-may-restart', { dryRun: true }), 1)).toEqual(first)
})
