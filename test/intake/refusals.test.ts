import { expect, test } from 'vitest'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { takeIn } from '../../functions/intake/intake.ts'
import { alice, command, createWorld, server, type World } from '../world/world.ts'

type Changes = Readonly<Record<string, unknown>>
const drain = (changes: Changes = {}) => command('command-drain-destination', { id: 'drain-1', ...changes })
const unlisted = 'sip:10.0.9.9:5060'
const outcome = (world: World, id = 'drain-1') => world.memory.store.commandOutcome(id)

async function take({ ports }: World, body: string): Promise<void> {
  const message = { body, senderId: alice, sentAt: 1, sequence: '1' }
  await takeIn(ports, message, async () => {
    await handleCommand(ports, message)
  })
}

test('whoever waits for the outcome of a command that is refused finds the reason under its id', async () => {
  const world = createWorld()
  await expect(world.command(drain({ destination: unlisted }), 7)).rejects.toThrow('no edge lists')
  expect(await outcome(world)).toMatchObject({
    ...{ id: 'drain-1', command: 'drain', requestedBy: 'alice', destination: unlisted },
    refused: expect.stringContaining(`no edge lists a destination that "${unlisted}" names`),
    order: expect.stringMatching(/0007$/),
  })
})

test('so does one whose keys are wrong, as far as its id can be read', async () => {
  const world = createWorld()
  await take(world, '{"version":1,"id":"drain-1","command":"drain","destnation":"sip:10.0.1.20"}')
  await take(world, '{"version":1,"id":"drain-2","command":"drain",}')
  await take(world, '{"version":1,"id":"with a space","command":"drain"}')
  expect(await outcome(world)).toMatchObject({
    refused: expect.stringContaining('destnation: is not a known key'),
  })
  expect(await outcome(world, 'drain-2')).toMatchObject({ refused: expect.stringContaining('not JSON') })
  expect(await outcome(world, 'with a space')).toBeUndefined()
})

test('the reason is there before the dead letter is, and a refusal that comes twice is one', async () => {
  const world = createWorld()
  await world.settledAll()
  const body = JSON.stringify(drain({ destination: unlisted }))
  world.memory.deadLetters.failNext('reject', new Error('throttled'))
  await expect(take(world, body)).rejects.toThrow('throttled')
  const first = await outcome(world)
  expect(first).toMatchObject({ refused: expect.stringContaining('no edge lists') })
  await take(world, body)
  expect(await outcome(world)).toEqual(first)
  expect(world.memory.deadLetters.rejected).toHaveLength(1)
})

test('a reason that could not be kept makes the message come again', async () => {
  const world = createWorld()
  world.memory.store.failNext('putRefusal', new Error('throttled'))
  await expect(world.command(drain({ destination: unlisted }), 1)).rejects.toThrow('throttled')
})

test('a drain that was refused is done when it is sent again after its reason was put right', async () => {
  const world = createWorld({ config: { maxHoldsPerSender: 1 } })
  await world.command(drain({ id: 'drain-0', destination: 'sip:10.0.1.21:5060' }), 1)
  await expect(world.command(drain(), 2)).rejects.toThrow('holds')
  await world.command(command('command-activate', { destination: 'sip:10.0.1.21:5060' }), 3)
  await expect(world.command(drain(), 2)).rejects.toThrow('holds')
  expect(await world.command(drain(), 4)).toMatchObject({ result: 'started', destinations: [server] })
  expect(await outcome(world)).toMatchObject({ result: 'started' })
})

test('what came of a command is never replaced by the refusal of another with its id', async () => {
  const world = createWorld()
  await world.command(drain(), 1)
  const good = await outcome(world)
  await expect(world.command(drain({ requestedBy: 'bob' }), 2)).rejects.toThrow('another command had the id')
  await expect(world.command(drain({ reason: '' }), 3)).rejects.toThrow('reason')
  expect(await outcome(world)).toEqual(good)
})

test('a reason is kept as short as an event has it', async () => {
  const world = createWorld()
  const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`unknown-key-${n}`, n]))
  await expect(world.command(drain(keys), 1)).rejects.toThrow('is not a known key')
  expect(JSON.stringify(await outcome(world)).length).toBeLessThan(10_000)
})
