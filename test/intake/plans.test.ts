import { describe, expect, test } from 'vitest'
import { alice, command, createWorld, minutes, neighbour, seconds, server } from '../world/world.ts'

const agent = 'AROAJQABLZS4A3QDU576Q'
const known = {
  config: {
    senders: [
      { id: alice, name: 'Alice Example' },
      { id: agent, name: 'agent', needsPlan: true },
    ],
  },
}
const session = `${agent}:night-shift`
type Changes = Readonly<Record<string, unknown>>
const drain = (changes: Changes = {}) => command('command-drain-destination', { id: 'drain-1', ...changes })
const activate = (changes: Changes = {}) => command('command-activate', { id: 'activate-1', ...changes })
const planned = drain({ id: 'plan-1', dryRun: true })
const withPlan = drain({ plan: 'plan-1' })
const refused = (message: RegExp) => ({
  name: 'CommandRefused',
  permanent: true,
  message: expect.stringMatching(message),
})

describe('a command that names a plan', () => {
  test('is done where the plan is its own dry run, once', async () => {
    const world = createWorld()
    await world.command(planned)
    expect(await world.command(withPlan)).toMatchObject({ result: 'started' })
    await expect(world.command(drain({ id: 'drain-2', plan: 'plan-1' }))).rejects.toMatchObject(
      refused(/^the plan plan-1 was used before: plan again with a new dry run, and name its id$/),
    )
  })

  test('is done also where it is an activate', async () => {
    const world = createWorld()
    await world.command(drain())
    await world.command(activate({ id: 'plan-2', dryRun: true }))
    expect(await world.command(activate({ plan: 'plan-2' }))).toMatchObject({ result: 'lifted' })
    expect(await world.heldBy()).toEqual([])
  })

  test.each<readonly [string, object, RegExp]>([
    ['that nobody has made', drain({ plan: 'plan-7' }), /^the plan plan-7 is not known: plan again/],
    ['of another server', { ...withPlan, destination: neighbour }, /is of another command/],
    ['with another reason', { ...withPlan, reason: 'another' }, /is of another command/],
    ['without the force that it has', { ...withPlan, force: 'at once' }, /is of another command/],
    ['of a drain for an activate', activate({ plan: 'plan-1' }), /is of another command/],
  ])('is refused before anything is changed where it is one %s', async (_, body, message) => {
    const world = createWorld()
    await world.command(planned)
    await expect(world.command(body)).rejects.toMatchObject(refused(message))
    expect(await world.heldBy()).toEqual([])
    expect(await world.memory.store.commandPlan('plan-1')).not.toHaveProperty('usedBy')
  })

  test("is refused where it is another session's plan, though of the same role", async () => {
    const world = createWorld()
    await world.command(planned, undefined, session)
    await expect(world.command(withPlan, undefined, `${agent}:day-shift`)).rejects.toMatchObject(
      refused(/is another sender's/),
    )
    expect(await world.heldBy()).toEqual([])
  })

  test('is refused where the plan is older than two minutes', async () => {
    const world = createWorld()
    await world.command(planned)
    await world.pass(2 * minutes + 1 * seconds)
    await expect(world.command(withPlan)).rejects.toMatchObject(refused(/is older than two minutes/))
    expect(await world.heldBy()).toEqual([])
  })

  test('is refused where the plan is of a command that was done, and was no dry run', async () => {
    const world = createWorld()
    await world.command(drain({ id: 'plan-1' }))
    await expect(world.command(withPlan)).rejects.toMatchObject(refused(/is not known/))
  })

  test('whose run was killed has used it: its message is done when it comes again, however late', async () => {
    const world = createWorld()
    await world.command(planned, 1)
    world.memory.store.failNext('putWaiting', new Error('killed'))
    await expect(world.command(withPlan, 2)).rejects.toThrow('killed')
    await world.pass(5 * minutes)
    expect(await world.command(withPlan, 2)).toMatchObject({ result: 'started' })
  })

  test('whose run was killed has used it: what is sent anew under its id needs a new plan', async () => {
    const world = createWorld()
    await world.command(planned, 1)
    world.memory.store.failNext('putWaiting', new Error('killed'))
    await expect(world.command(withPlan, 2)).rejects.toThrow('killed')
    await expect(world.command(withPlan, 3)).rejects.toMatchObject(refused(/was used before/))
  })
})

test('a dry run that comes again makes its plan no younger', async () => {
  const world = createWorld()
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(planned, 1)).rejects.toThrow('killed')
  await world.pass(2 * minutes + 1 * seconds)
  expect(await world.command(planned, 1)).toMatchObject({ result: 'dry-run' })
  await expect(world.command(withPlan, 2)).rejects.toMatchObject(refused(/is older than two minutes/))
})

describe('a sender of whom the settings want plans', () => {
  test.each([drain(), activate()])('can do nothing without one: %o', async (body) => {
    const world = createWorld(known)
    await expect(world.command(body, undefined, session)).rejects.toMatchObject(
      refused(/^the sender agent needs plans .* first with "dryRun": true, and then with the id/),
    )
    expect(await world.heldBy()).toEqual([])
  })

  test('drains with one', async () => {
    const world = createWorld(known)
    await world.command(planned, undefined, session)
    expect(await world.command(withPlan, undefined, session)).toMatchObject({ result: 'started' })
  })

  test.each([
    activate({ source: 'operator', plan: 'plan-1' }),
    activate({ holdId: `operator/${server}/bob`, plan: 'plan-1' }),
    command('command-release-edge'),
    command('command-unfreeze'),
  ])('never lifts what is not its own, releases or unfreezes: %o', async (body) => {
    const world = createWorld(known)
    await expect(world.command(body, undefined, session)).rejects.toMatchObject(
      refused(/may not (release|unfreeze)|lifts its own holds alone/),
    )
    expect(world.memory.settles.asked.filter(({ kind }) => kind === 'command')).toEqual([])
  })

  test.each([
    [command('command-reload'), /may not reload: that takes "mayAlso": \["reload"\]/],
    [command('command-freeze'), /may not freeze: that takes "mayAlso": \["freeze"\]/],
    [drain({ force: 'at once', plan: 'plan-1' }), /may not force a drain/],
  ])('may not, unless the settings allow it: %o', async (body, message) => {
    const world = createWorld(known)
    await expect(world.command(body, undefined, session)).rejects.toMatchObject(refused(message))
    expect(await world.heldBy()).toEqual([])
    expect(await world.memory.store.freeze()).toBe(undefined)
    expect(world.memory.settles.asked.filter(({ kind }) => kind === 'command')).toEqual([])
  })

  test('freezes with an end alone, where the settings allow it a freeze', async () => {
    const senders = [{ id: agent, name: 'agent', needsPlan: true, mayAlso: ['freeze' as const] }]
    const world = createWorld({ config: { senders } })
    const until = new Date(world.clock.now() + 30 * minutes).toISOString()
    const { until: _, ...endless } = command('command-freeze', { id: 'freeze-1' }) as { until?: string }
    await expect(world.command(endless, undefined, session)).rejects.toMatchObject(
      refused(/freezes with an end alone: give "until"/),
    )
    const ends = command('command-freeze', { id: 'freeze-2', until })
    expect(await world.command(ends, undefined, session)).toMatchObject({ result: 'frozen' })
  })

  test("ends nobody's freeze by a shorter one of its own", async () => {
    const senders = [{ id: agent, name: 'agent', needsPlan: true, mayAlso: ['freeze' as const] }]
    const world = createWorld({ config: { senders: [...senders, { id: 'AIDAOPS', name: 'ops' }] } })
    const at = (ms: number) => new Date(world.clock.now() + ms).toISOString()
    const freeze = (id: string, until: string) => command('command-freeze', { id, until })
    const inForce = async () => (await world.memory.store.freeze())?.until
    const long = at(30 * minutes)
    await world.command(freeze('freeze-1', long), undefined, 'AIDAOPS')
    await expect(
      world.command(freeze('freeze-2', at(1 * minutes)), undefined, session),
    ).rejects.toMatchObject(refused(/may not end the freeze of .*, which ends at .*: give a later "until"/))
    expect(await inForce()).toBe(Date.parse(long))
    // What is over later, and what is its own, it may change.
    const later = freeze('freeze-3', at(40 * minutes))
    expect(await world.command(later, undefined, session)).toMatchObject({ result: 'frozen' })
    const sooner = freeze('freeze-4', at(35 * minutes))
    expect(await world.command(sooner, undefined, session)).toMatchObject({ result: 'frozen' })
  })

  test("ends nobody's freeze by a longer one of its own, and a shorter one after that, however many", async () => {
    const senders = [{ id: agent, name: 'agent', needsPlan: true, mayAlso: ['freeze' as const] }]
    const world = createWorld({ config: { senders: [...senders, { id: 'AIDAOPS', name: 'ops' }] } })
    const start = world.clock.now()
    const freezeUntil = (minute: number, sender: string) => {
      const until = new Date(start + minute * minutes).toISOString()
      return world.command(command('command-freeze', { id: `until-${minute}`, until }), undefined, sender)
    }
    await freezeUntil(30, 'AIDAOPS')
    const replaces = { sender: { name: 'ops' }, until: start + 30 * minutes }
    for (const minute of [40, 39, 38])
      expect(await freezeUntil(minute, `${agent}:at-${minute}`)).toMatchObject({ result: 'frozen', replaces })
    await expect(freezeUntil(29, session)).rejects.toMatchObject(refused(/may not end the freeze of /))
    // Once that one is over, no other sender's is ended by it.
    await world.pass(30 * minutes)
    expect(await freezeUntil(31, session)).toMatchObject({
      replaces: { sender: { name: 'agent' }, until: start + 38 * minutes },
    })
  })

  test.each(['drain', 'activate'])(
    "can't %s by the name of an operator who has holds, though it plans to",
    async (kind) => {
      const world = createWorld(known)
      await world.command(drain({ reason: 'disk failing' }))
      const asked = kind === 'drain' ? drain : activate
      const own = { id: 'plan-1', dryRun: true }
      await world.command(asked(own), undefined, session)
      await expect(
        world.command(asked({ id: 'own-1', plan: 'plan-1' }), undefined, session),
      ).rejects.toMatchObject(
        refused(/may not use the name "alice" as requestedBy: another sender has holds/),
      )
      expect(await world.memory.store.holds()).toMatchObject([{ why: 'disk failing', sender: { id: alice } }])
    },
  )

  test('lifts what it has drained itself, in another session of its role', async () => {
    const world = createWorld(known)
    await world.command(planned, undefined, session)
    await world.command(withPlan, undefined, session)
    const later = `${agent}:day-shift`
    await world.command(activate({ id: 'plan-2', dryRun: true }), undefined, later)
    expect(await world.command(activate({ plan: 'plan-2' }), undefined, later)).toMatchObject({
      result: 'lifted',
    })
  })

  test('is that sender alone: others need none', async () => {
    const world = createWorld(known)
    expect(await world.command(drain())).toMatchObject({ result: 'started' })
  })
})
