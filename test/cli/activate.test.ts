import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`
const others = `activate ${server} --source operator`

test('an activate lifts nobody else’s hold without --yes where nobody can be asked: 3', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain, { who: bob })
  expect(await kdc(others)).toMatchObject({
    code: 3,
    err: expect.stringContaining(`${bob}: disk failing); say so with --yes`),
  })
  expect(await world.heldBy()).toHaveLength(1)
  expect(await kdc(`${others} --yes`)).toMatchObject({ code: 0 })
  expect(await world.heldBy()).toEqual([])
})

test('an activate asks before it drops what somebody else waits for, too', async () => {
  const { kdc, world } = kdcWorld()
  await kdc('freeze -m maintenance')
  await kdc(drain, { who: bob })
  expect(await kdc(others)).toMatchObject({ code: 3, err: expect.stringContaining(bob) })
  expect((await world.memory.store.waiting()).drains).toHaveLength(1)
})

test('an activate asks at a terminal, and takes no for an answer', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain, { who: bob })
  const questions: string[] = []
  const answering = (yes: boolean) => async (question: string) => {
    questions.push(question)
    return yes
  }
  expect(await kdc(others, { ask: answering(false) })).toMatchObject({ code: 3 })
  expect(await world.heldBy()).toHaveLength(1)
  expect(await kdc(others, { ask: answering(true) })).toMatchObject({ code: 0 })
  expect(questions).toEqual([
    expect.stringContaining(`operator/10.0.1.20:5060;udp/${bob} (${bob}: disk failing)`),
    expect.any(String),
  ])
  expect(await world.heldBy()).toEqual([])
})

test('an activate asks nothing about one’s own, and names who holds it still', async () => {
  const { kdc } = kdcWorld()
  await kdc(drain)
  await kdc(`drain ${server} -m 'noisy fan'`, { who: bob })
  const { code, out } = await kdc(`activate ${server}`)
  expect(code).toBe(0)
  expect(out).toContain(`still held by operator/10.0.1.20:5060;udp/${bob}: ${bob}: noisy fan`)
})

test('an activate prints the command that lifts what holds it still, also where it lifts nothing itself: 0', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain, { who: bob })
  const nothing = await kdc(`activate ${server}`)
  expect(nothing).toMatchObject({ code: 0, out: expect.stringContaining(': nothing-to-lift ') })
  const lifting = /\n {2}lifted by: kdc (.*)\n/.exec(nothing.out)?.[1]
  expect(await kdc(`${lifting} --yes`)).toMatchObject({ code: 0 })
  expect(await world.heldBy()).toEqual([])
})

test('an activate names what lifts an alarm’s hold, that no command lifts a scale-in’s, and where to look for many', async () => {
  const { kdc, world } = kdcWorld()
  await world.alarm(message('alarm-metric-alarm'))
  await world.scaleIn()
  const { out } = await kdc(`activate ${server}`)
  expect(out).toMatch(/still held by alarm\/.*\n {2}it is lifted when its alarm is OK; sooner: kdc activate /)
  expect(out).toMatch(/still held by lifecycle\/.*\n {2}no command lifts it: /)
  const many = await kdc(`activate --set 1`)
  expect(many.out).toMatch(/still held by .*\n {2}kdc get holds shows on what, and kdc explain TARGET /)
})

test('an activate of what a scale-in alone holds is refused with the reason, and so is its dry run: 3', async () => {
  const { kdc, world } = kdcWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(60_000)
  for (const whom of [server, '--group media-servers', '--set 2'])
    for (const dryRun of ['', ' --dry-run'])
      expect(await kdc(`activate ${whom}${dryRun}`)).toMatchObject({
        ...{ code: 3, err: expect.stringContaining('only the end of the lifecycle action does') },
      })
})

test('the hold that explain names can be lifted by the command that explain prints', async () => {
  const { kdc, world } = kdcWorld()
  await world.alarm(message('alarm-metric-alarm'))
  const { out } = await kdc('explain i-1234567890abcdef0')
  const undo = /sooner: kdc (.*)\n/.exec(out)?.[1]
  expect(await kdc(`${undo} --yes`)).toMatchObject({ code: 0 })
  expect(await world.heldBy()).toEqual([])
})

test.each(['', ' --dry-run'])(
  'an activate%s of a hold that is not there names those that are: 3',
  async (dryRun) => {
    const { kdc, world } = kdcWorld()
    const held = `operator/10.0.1.20:5060;udp/${alice}`
    const line = (id: string) => `activate ${server} --hold '${id}'${dryRun}`
    expect(await kdc(line('10.0.1.20'))).toMatchObject({
      ...{ code: 3, err: expect.stringContaining(`called "10.0.1.20"; nothing holds it`) },
    })
    await kdc(drain)
    expect(await kdc(line(held.slice(0, -1)))).toMatchObject({
      ...{ code: 3, err: expect.stringContaining(`; there are: ${held}; what waits is in kdc explain `) },
    })
    expect(await world.heldBy()).toHaveLength(1)
    expect(await kdc(line(held))).toMatchObject({ code: 0 })
  },
)

test('with --source, too, what names no destination ends with 3, and a wrong instance keeps no other from its turn', async () => {
  const { kdc, world, sent } = kdcWorld()
  expect(await kdc('activate nobody --source operator')).toMatchObject({
    ...{ code: 3, err: expect.stringContaining('Nothing was sent') },
  })
  await kdc(drain, { who: bob })
  sent.length = 0
  expect(await kdc(`activate i-0123456789abcdef9 ${server} --source operator`)).toMatchObject({
    ...{ code: 3, err: expect.stringContaining('say so with --yes') },
  })
  expect(sent).toEqual([])
  const { code, err } = await kdc(`activate i-0123456789abcdef9 ${server} --source operator`, {
    ask: async () => true,
  })
  expect(code).toBe(3)
  expect(err).toContain('i-0123456789abcdef9: refused: ')
  expect(await world.heldBy()).toEqual([])
})
