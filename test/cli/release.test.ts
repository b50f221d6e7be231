import { expect, test } from 'vitest'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const line = 'release edge-b -m lost'

/** Edge-b was removed with a call up. */
async function removedWorld() {
  const made = kdcWorld()
  const { kdc, world } = made
  world.edge('edge-b').callTo(server)
  await kdc(`drain ${server} -m 'disk failing'`)
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  await world.pass(2 * minutes)
  made.sent.length = 0
  return made
}

test('a release is not sent without --yes where nobody can be asked: 3, and names the calls that may be cut', async () => {
  const { kdc, world, sent } = await removedWorld()
  const { code, err } = await kdc(line)
  expect(code).toBe(3)
  expect(err).toMatch(
    /^kdc: refused: this has no drain wait for edge-b any longer: calls .* are cut .*\. Calls counted there last: 1 of operator\/\S+; say so with --yes\n$/,
  )
  expect(sent).toEqual([])
  expect(await kdc(`${line} --yes`)).toMatchObject({ code: 0 })
  expect(await world.memory.store.releases()).toMatchObject([{ edge: 'edge-b' }])
})

test('a release asks at a terminal, and takes no for an answer', async () => {
  const { kdc, world, sent } = await removedWorld()
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return false
  }
  expect(await kdc(line, { ask })).toMatchObject({ code: 3, err: 'kdc: nothing was released\n' })
  expect(questions).toEqual([expect.stringMatching(/^This has no .*\. Release it\? \[y\/N]$/)])
  expect(sent).toEqual([])
  expect(await world.memory.store.releases()).toEqual([])
})

test('a release says so where no drain waits for the edge, or where that could not be read', async () => {
  const { kdc, world } = await removedWorld()
  const drain = () => Promise.reject(new UnexpectedAnswer('DRAIN#x: nonsense'))
  const unread = await kdc(line, { deployed: { shelf: { ...world.memory.store, drain } } })
  expect(unread.err).toContain('Which drains wait for it could not be read; say so with --yes')
  await kdc(`activate ${server}`)
  await world.pass(1 * minutes)
  expect((await kdc(line)).err).toContain('None waits for it now; say so with --yes')
})

test('a release asks nothing about a dry run, or an edge that is configured', async () => {
  const { kdc } = await removedWorld()
  const ask = () => Promise.reject(new Error('somebody was asked'))
  expect(await kdc(`${line} --dry-run`, { ask })).toMatchObject({ code: 0 })
  expect(await kdc('release edge-a -m lost', { ask })).toMatchObject({
    err: expect.stringContaining('edge "edge-a" is configured'),
  })
})

test('a release that is redriven tells what is at stake as it does itself: of a dry run, and with --yes, nothing is', async () => {
  const { kdc, deadLetters } = await removedWorld()
  const dead = (id: string, more: object = {}) => {
    const command = {
      version: 1,
      id,
      command: 'release',
      edge: 'edge-b',
      reason: 'lost',
      requestedBy: 'alice',
    }
    const body = JSON.stringify({ ...command, ...more })
    deadLetters.letters.push({ queue: 'commands', id, at: 0, senderId: 'AROAX', receipt: id, body })
  }
  dead('1a')
  dead('2a', { dryRun: true })
  dead('3a', { edge: 7 })
  const { code, err } = await kdc('dlq redrive 1a')
  expect(code).toBe(3)
  expect(err).toMatch(
    /This sends anew: 1a \(commands: release\)\. This has no drain wait for edge-b any longer: calls .* are cut .*\. Calls counted there last: 1 of operator\/\S+\. Send\? Say so with --yes\n$/,
  )
  for (const id of ['2a', '3a'])
    expect((await kdc(`dlq redrive ${id}`)).err).toContain('(commands: release). Send? Say so with --yes')
  expect(await kdc('dlq redrive 1a --yes')).toMatchObject({
    code: 0,
    err: expect.not.stringContaining('cut'),
  })
})
