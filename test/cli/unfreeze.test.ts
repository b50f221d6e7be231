import { expect, test } from 'vitest'
import { bob, kdcWorld } from './kdc-world.ts'

const isFrozen = async ({ memory }: ReturnType<typeof kdcWorld>['world']) => {
  const freeze = await memory.store.freeze()
  return freeze !== undefined && freeze.ended === undefined
}

test('an unfreeze ends nobody else’s freeze without --yes where nobody can be asked: 3, and names whose it is', async () => {
  const { kdc, world, sent } = kdcWorld()
  await kdc("freeze -m 'carrier maintenance'", { who: bob })
  expect(await kdc('unfreeze')).toMatchObject({
    code: 3,
    err: `kdc: refused: this ends somebody else's freeze (${bob}: carrier maintenance); say so with --yes\n`,
  })
  expect(sent).toHaveLength(1)
  const { code, out } = await kdc('unfreeze --yes')
  expect(code).toBe(0)
  expect(out).toContain(`undo: kdc freeze -m 'carrier maintenance'\nno undo: no command of yours places `)
  expect(out).toContain(`the freeze of ${bob}: carrier maintenance; the freeze is yours`)
  expect(await isFrozen(world)).toBe(false)
})

test('an unfreeze of somebody else’s freeze asks at a terminal, and takes no for an answer', async () => {
  const { kdc, world } = kdcWorld()
  await kdc('freeze -m maintenance', { who: bob })
  const questions: string[] = []
  const answering = (yes: boolean) => async (question: string) => {
    questions.push(question)
    return yes
  }
  expect(await kdc('unfreeze', { ask: answering(false) })).toMatchObject({
    ...{ code: 3, err: 'kdc: the freeze stands\n' },
  })
  expect(await isFrozen(world)).toBe(true)
  expect(await kdc('unfreeze', { ask: answering(true) })).toMatchObject({ code: 0 })
  expect(questions[0]).toBe(`This ends somebody else's freeze (${bob}: maintenance). End it? [y/N]`)
  expect(await isFrozen(world)).toBe(false)
})

test('an unfreeze asks nothing about one’s own, nor where it is a dry run or nothing is frozen', async () => {
  const { kdc } = kdcWorld()
  const ask = () => Promise.reject(new Error('somebody was asked'))
  await kdc('freeze -m maintenance')
  const own = await kdc('unfreeze', { ask })
  expect(own).toMatchObject({ code: 0, out: expect.not.stringContaining('no undo') })
  expect(await kdc('unfreeze', { ask })).toMatchObject({ code: 0 })
  await kdc('freeze -m maintenance', { who: bob })
  expect(await kdc('unfreeze --dry-run', { ask })).toMatchObject({ code: 0 })
})

test('a freeze that would end somebody else’s sooner asks as an unfreeze does: it is one by another name', async () => {
  const { kdc, world, sent } = kdcWorld()
  await kdc('freeze -m maintenance --until 2h', { who: bob })
  const sooner = await kdc('freeze -m mine --until 1m')
  expect(sooner).toMatchObject({
    code: 3,
    err: `kdc: refused: this ends somebody else's freeze (${bob}: maintenance, until 2026-11-22T22:00:00Z); say so with --yes\n`,
  })
  expect(sent).toHaveLength(1)
  expect(await world.memory.store.freeze()).toMatchObject({ who: bob })
  for (const longer of ['freeze -m mine --until 3h', 'freeze -m mine', 'freeze -m mine --until 1m --dry-run'])
    expect(await kdc(longer)).toMatchObject({ code: 0 })
})

test('an unfreeze of one’s own freeze that had taken the place of another’s asks while the other one would last', async () => {
  const { kdc, world } = kdcWorld()
  await kdc('freeze -m maintenance --until 2h', { who: bob })
  await kdc('freeze -m mine')
  expect(await kdc('unfreeze')).toMatchObject({
    ...{ code: 3, err: expect.stringContaining(`(${bob}: maintenance, until 2026-11-22T22:00:00Z)`) },
  })
  expect(await isFrozen(world)).toBe(true)
})
