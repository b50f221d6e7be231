import { expect, test } from 'vitest'
import { EdgesUnreadable } from '../../functions/control/errors.ts'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { takeIn } from '../../functions/intake/intake.ts'
import { eventBody, eventNames } from '../contracts/event-files.ts'
import { present } from '../present.ts'
import { createWorld } from '../world/world.ts'

const senderId = 'AIDAJQABLZS4A3QDU576Q'
const incoming = (body: string) => ({ body, senderId, sentAt: 0, sequence: '1' })

test.each(eventNames('bad').filter((name) => name.startsWith('command')))(
  'bad/%s goes to the dead-letter queue with the reason, is said, and the batch goes on',
  async (name) => {
    const { ports, memory } = createWorld()
    const message = incoming(eventBody(`bad/${name}`))
    await takeIn(ports, message, async () => {
      await handleCommand(ports, message)
    })
    const rejected = present(memory.deadLetters.rejected[0], 'dead letter')
    expect(rejected.message.body).toBe(message.body)
    expect(rejected.reason.message).not.toBe('')
    expect(memory.events.of('Message Rejected')).toMatchObject([
      {
        error: rejected.reason.name,
        reason: rejected.reason.message,
        sender: { id: senderId },
        read: expect.any(Object),
      },
    ])
    expect(memory.metrics.total('Rejected')).toBe(1)
  },
)

test.each([new EdgesUnreadable('no edge answers'), new TypeError('a defect of ours')])(
  'what may succeed later is thrown on, so that the queue brings it again: %s',
  async (error) => {
    const { ports, memory } = createWorld()
    await expect(takeIn(ports, incoming('{}'), () => Promise.reject(error))).rejects.toBe(error)
    expect(memory.deadLetters.rejected).toEqual([])
    expect(memory.events.published).toEqual([])
  },
)

test('a message that the dead-letter queue refuses comes again', async () => {
  const { ports, memory } = createWorld()
  memory.deadLetters.failNext('reject', new Error('throttled'))
  const message = incoming('not JSON')
  const take = () =>
    takeIn(ports, message, async () => {
      await handleCommand(ports, message)
    })
  await expect(take()).rejects.toThrow('throttled')
  await take()
  expect(memory.deadLetters.rejected).toHaveLength(1)
})

test('what a rejected message names is published with it, as far as it could be read', async () => {
  const { ports, memory } = createWorld()
  const message = incoming('{"version":1,"id":"change-4711","command":"drain","destination":"all"}')
  await takeIn(ports, message, async () => {
    await handleCommand(ports, message)
  })
  const read = { id: 'change-4711', command: 'drain', destination: 'all' }
  expect(memory.events.of('Message Rejected')).toMatchObject([{ read }])
})

test("who sent a rejected message is published by the settings' name, in any session of its role, and by its id where they have none", async () => {
  const { ports, memory } = createWorld({
    config: { senders: [{ id: 'AROAPIPE', name: 'deploy pipeline' }] },
  })
  for (const id of ['AROAPIPE:deploy-17', senderId]) {
    const message = { ...incoming(eventBody('bad/command-no-reason')), senderId: id }
    await takeIn(ports, message, async () => {
      await handleCommand(ports, message)
    })
  }
  expect(memory.events.of('Message Rejected').map(({ sender }) => sender)).toEqual([
    { id: 'AROAPIPE:deploy-17', name: 'deploy pipeline' },
    { id: senderId },
  ])
})
