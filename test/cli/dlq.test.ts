import { expect, test } from 'vitest'
import type { DeadLetter } from '../../cli/desk/dead-letters.ts'
import { eventBody } from '../contracts/event-files.ts'
import { minutes } from '../world/world.ts'
import { alice, kdcWorld, unreached } from './kdc-world.ts'

const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ queue: 'commands', id: `${id}-0000-4000-8000-000000000000`, receipt: id, senderId: 'AROAX:alice' },
  ...{ at: Date.parse('2026-11-22T19:00:00Z'), body: eventBody('command-drain-destination') },
  ...more,
})
const refused = { error: 'CommandRefused', reason: 'no edge lists a destination that "sip:10.0.9.9" names' }

/** One command that was refused, one that failed, and an event of each other queue. */
function full() {
  const made = kdcWorld()
  made.deadLetters.letters.push(
    letter('1a000001', { refused }),
    letter('1b000002'),
    letter('2a000003', { queue: 'lifecycleEvents', body: eventBody('lifecycle-terminate-scale-in') }),
    letter('3a000004', { queue: 'alarmEvents', body: '{"alarmName":"\u001b[2Jcpu"', refused }),
  )
  return made
}

test('ls tells refused from failed, with the reason and what the message names, and hides none of them', async () => {
  const { kdc, deadLetters } = full()
  const { code, out } = await kdc('dlq ls', { screen: { columns: 100 } })
  expect(code).toBe(0)
  expect(out).toMatchInlineSnapshot(`
    "ID        QUEUE            AGE  WAS      WHAT                          REASON
    1a000001  commands         1h   refused  drain sip:10.0.1.20:5060      no edge lists a destination …
    1b000002  commands         1h   failed   drain sip:10.0.1.20:5060      in the log
    2a000003  lifecycleEvents  1h   failed   EC2 Instance-terminate Life…  in the log
    3a000004  alarmEvents      1h   refused  ·[2Jcpu                       no edge lists a destination …
    "
  `)
  expect(deadLetters.hidden.size).toBe(0)
  expect((await kdc('dlq ls -o wide')).out).toContain('1a000001-0000-4000')
})

test('ls says how many it was not shown, and that there is none', async () => {
  const { kdc, deadLetters } = full()
  deadLetters.hidden.add(letter('1b000002').id)
  expect((await kdc('dlq ls')).err).toMatch(/^1 more are there, which somebody else looks at/)
  expect((await kdcWorld().kdc('dlq ls')).out).toBe('no dead letter is there\n')
})

test('show prints one by the beginning of its id, and nothing in its body reaches a terminal as a command', async () => {
  const { kdc } = full()
  const { out } = await kdc('dlq show 3a')
  expect(out).toContain('was     refused: CommandRefused: no edge lists')
  expect(out).toContain('"{\\"alarmName\\":\\"\\u001b[2Jcpu\\""')
  expect(out).not.toContain('\u001b')
  expect((await kdc('dlq ls')).out).not.toContain('\u001b')
  expect(JSON.parse((await kdc('dlq show 1b -o json')).out)).toMatchObject({
    was: 'failed',
    read: { command: 'drain', destination: expect.any(String) },
  })
})

test.each([
  ['show 1', '"1" is the beginning of 2 messages: write more of it'],
  ['drop 9', 'no dead letter begins with "9", or somebody else looks at it: kdc dlq ls shows what is there'],
])('dlq %s is told in one line what to do', async (line, why) => {
  const { kdc, deadLetters } = full()
  expect(await kdc(`dlq ${line}`)).toMatchObject({ code: 1, err: `kdc: ${why}\n` })
  expect(deadLetters.hidden.size).toBe(0)
})

test('drop asks, takes no for an answer, needs --yes where nobody can be asked, and deletes what is meant alone', async () => {
  const { kdc, deadLetters } = full()
  expect(await kdc('dlq drop 1a')).toMatchObject({
    code: 3,
    err: expect.stringMatching(/deletes for good: 1a000001 \(commands: drain, refused: no edge .* --yes\n$/),
  })
  expect(await kdc('dlq drop 1a', { ask: async () => false })).toMatchObject({ code: 3 })
  expect(deadLetters.letters).toHaveLength(4)
  expect(await kdc('dlq drop 1a', { ask: async () => true })).toMatchObject({ code: 0 })
  expect(await kdc('dlq drop --refused --yes')).toMatchObject({ code: 0 })
  expect(deadLetters.letters.map(({ receipt }) => receipt)).toEqual(['1b000002', '2a000003'])
  expect(deadLetters.hidden.size).toBe(0)
})

test('what somebody wrote ends no line of the question', async () => {
  const { kdc, deadLetters } = full()
  const reason = 'no edge lists "x\nThis deletes nothing. Delete?"'
  deadLetters.letters.push(letter('5a000006', { refused: { ...refused, reason } }))
  const { err } = await kdc('dlq drop 5a')
  expect(err).toMatch(/^kdc: refused: This deletes for good: 5a000006 [^\n]*"x·This [^\n]* --yes\n$/)
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return false
  }
  await kdc('dlq drop 5a', { ask })
  expect(questions).toEqual([expect.stringMatching(/"x·This [^\n]*\[y\/N]$/)])
})

test('while somebody is asked nothing is kept from others, and what is done then is done by a receipt that is new', async () => {
  const { kdc, deadLetters } = full()
  const ask = async () => {
    expect(deadLetters.hidden.size).toBe(0)
    // Whoever has received them meanwhile: the former receipts are good for nothing.
    deadLetters.letters.splice(1, 1, letter('1b000002', { receipt: 'anew' }))
    return true
  }
  expect(await kdc('dlq redrive 1b', { ask })).toMatchObject({ code: 0 })
  expect(deadLetters.redriven).toMatchObject([{ receipt: 'anew' }])
  expect(deadLetters.hidden.size).toBe(0)
})

test('what somebody else took while one was asked is told, the rest is done, and it ends with 1', async () => {
  const { kdc, deadLetters } = full()
  const ask = async () => {
    deadLetters.letters.splice(0, 1)
    return true
  }
  expect(await kdc('dlq drop 1a 1b', { ask })).toMatchObject({
    code: 1,
    out: '1b000002-0000-4000-8000-000000000000 dropped\n',
    err: expect.stringContaining('1 are there no more, or somebody else looks at them'),
  })
})

test('show tells whom AWS named as the sender', async () => {
  expect((await full().kdc('dlq show 1b')).out).toContain('sender  AROAX:alice\n')
})

test('redrive of a command warns whom AWS will name as its sender, and of what was refused that it may be again', async () => {
  const { kdc, deadLetters } = full()
  const { code, err } = await kdc('dlq redrive 1a --yes')
  expect(code).toBe(0)
  expect(err).toContain(`has you as its verified sender, ${alice}, and the time of now`)
  expect(err).toContain('refused again, unless what it was refused for was mended')
  expect(deadLetters.redriven).toMatchObject([{ receipt: '1a000001' }])
})

test('what was refused less than five minutes ago is not sent anew: SQS would drop it, refused again, without a word', async () => {
  const { kdc, deadLetters, world } = full()
  deadLetters.letters.push(letter('4a000005', { refused, at: world.clock.now() - 60_000 }))
  expect(await kdc('dlq redrive 4a --yes')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/refused less than 5 minutes ago, .* try again in 4m, or give a new one\n$/),
  })
  expect(deadLetters.redriven).toEqual([])
  await world.pass(4 * minutes)
  expect(await kdc('dlq redrive 4a --yes')).toMatchObject({ code: 0 })
})

test('redrive of all that failed leaves what was refused, and warns of no sender where it is no command', async () => {
  const { kdc, deadLetters } = full()
  await kdc('dlq drop 1b --yes')
  const { out, err } = await kdc('dlq redrive --failed --yes')
  expect({ out, err }).toEqual({ out: '2a000003-0000-4000-8000-000000000000 sent anew\n', err: '' })
  expect(deadLetters.letters).toHaveLength(2)
})

test('one that can not be sent anew leaves those after it as they were', async () => {
  const { kdc, deadLetters } = full()
  const redrive = () => Promise.reject(Object.assign(new Error('denied'), { name: 'AccessDenied' }))
  const refusing = { ...deadLetters, redrive }
  expect(await kdc('dlq redrive --failed --yes', { deployed: { deadLetters: refusing } })).toMatchObject({
    code: 1,
  })
  expect(deadLetters.letters).toHaveLength(4)
  expect(deadLetters.hidden.size).toBe(0)
})

test.each(['drop', 'redrive', 'drop 1a --failed', 'redrive --failed --refused'])(
  'dlq %s is a usage error: it names nothing, or two things',
  async (line) => {
    expect(await kdcWorld().kdc(`dlq ${line} --yes`, { reach: unreached })).toMatchObject({
      code: 2,
      err: expect.stringContaining('dlq ls'),
    })
  },
)
