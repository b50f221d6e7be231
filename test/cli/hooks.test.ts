import { expect, test } from 'vitest'
import { changed, group, hook } from './doctor-plants.ts'
import { doctorWorld } from './doctor-world.ts'

const retains = {
  config: {
    groups: [
      {
        ...{ name: group, terminateHook: 'drain-calls', launchHook: 'admit-calls' },
        ...{ heartbeatTimeoutSeconds: 300, drainDeadlineSeconds: 3600 },
        deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
      },
    ],
  },
}

/** Somebody has made the hooks by hand, and one of them not at all. */
function byHand() {
  const world = doctorWorld(retains)
  const { groups, hooks } = world.around.shown
  changed(groups, group, { retains: false })
  hooks.set(group, [
    { name: 'drain-calls', transition: 'terminating', heartbeatSeconds: 60, defaultResult: 'CONTINUE' },
    { name: 'theirs', transition: 'launching', heartbeatSeconds: 60, defaultResult: 'ABANDON' },
  ])
  return world
}

test('plan prints what is not as the settings want it, and changes nothing: 7', async () => {
  const { printed, around } = byHand()
  const before = JSON.stringify([...around.shown.hooks, ...around.shown.groups])
  const { code, out } = await printed('hooks plan')
  expect(code).toBe(7)
  expect(out).toMatchInlineSnapshot(`
    "GROUP          HOOK         WHAT               NOW                                  WANTED
    media-servers  -            lifecycle policy   an abandoned instance is terminated  retain
    media-servers  drain-calls  default result     CONTINUE                             ABANDON
    media-servers  drain-calls  heartbeat timeout  60 s                                 300 s
    media-servers  admit-calls  hook               missing                              launching, CONTINUE, 300 s
    "
  `)
  expect(JSON.stringify([...around.shown.hooks, ...around.shown.groups])).toBe(before)
  expect(await doctorWorld(retains).printed('hooks plan')).toMatchObject({
    code: 0,
    out: 'nothing to change\n',
  })
})

test('apply makes it so, reads it back, and leaves others’ hooks alone', async () => {
  const { printed, around, found } = byHand()
  expect(await printed('hooks apply --yes')).toMatchObject({
    ...{ code: 0, out: 'nothing to change\n', err: expect.stringContaining('default result') },
  })
  expect(around.shown.groups.get(group)?.retains).toBe(true)
  expect(around.shown.hooks.get(group)).toEqual([
    { name: 'theirs', transition: 'launching', heartbeatSeconds: 60, defaultResult: 'ABANDON' },
    { name: 'drain-calls', transition: 'terminating', heartbeatSeconds: 300, defaultResult: 'ABANDON' },
    { name: 'admit-calls', transition: 'launching', heartbeatSeconds: 300, defaultResult: 'CONTINUE' },
  ])
  expect((await found()).findings).toEqual([])
})

test('apply where nothing is to be changed asks nobody, and prints that once', async () => {
  expect(await doctorWorld(retains).printed('hooks apply')).toEqual({
    ...{ code: 0, out: 'nothing to change\n', err: '' },
  })
})

test('an abandoned instance is kept before the hook may abandon one', async () => {
  const { printed, around } = byHand()
  const done: string[] = []
  Object.assign(around, {
    putHook: async () => done.push('hook'),
    retain: async () => done.push('retain'),
  })
  expect(await printed('hooks apply --yes')).toMatchObject({
    code: 7,
    out: expect.stringContaining('missing'),
  })
  expect(done).toEqual(['retain', 'hook', 'hook'])
})

test("a launch hook's own timeout is left as it is", async () => {
  const world = doctorWorld(retains)
  hook(world, 'admit-calls', { heartbeatSeconds: 60, defaultResult: 'ABANDON' })
  expect((await world.printed('hooks apply --yes')).code).toBe(0)
  expect(world.around.shown.hooks.get(group)).toContainEqual({
    ...{ name: 'admit-calls', transition: 'launching', heartbeatSeconds: 60, defaultResult: 'CONTINUE' },
  })
})

test('apply asks first: without an answer, or with no, nothing is changed: 3', async () => {
  const { printed, kdc, around, shelf } = byHand()
  const before = JSON.stringify([...around.shown.hooks])
  expect(await printed('hooks apply')).toMatchObject({ code: 3, err: expect.stringContaining('--yes') })
  const asked: string[] = []
  const ask = async (question: string) => {
    asked.push(question)
    return false
  }
  expect(await kdc('hooks apply', { ask, deployed: { shelf } })).toMatchObject({ code: 3 })
  expect(asked).toEqual([`This changes hooks of ${group}. Change them? [y/N]`])
  expect(JSON.stringify([...around.shown.hooks])).toBe(before)
  expect(await kdc('hooks apply', { ask: async () => true, deployed: { shelf } })).toMatchObject({ code: 0 })
})

test('a hook for the other transition is not deleted by us: what waits at it would be completed', async () => {
  const world = doctorWorld(retains)
  hook(world, 'drain-calls', { transition: 'launching' })
  const { code, out } = await world.printed('hooks apply --yes')
  expect(code).toBe(7)
  expect(out).toContain(
    `by hand: aws autoscaling delete-lifecycle-hook --auto-scaling-group-name ${group} --lifecycle-hook-name drain-calls`,
  )
})

test('who may not change hooks is told which actions, and that neither policy has them: 1', async () => {
  const { printed, around } = byHand()
  Object.assign(around, {
    retain: () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied' })),
  })
  const { code, err } = await printed('hooks apply --yes')
  expect(code).toBe(1)
  expect(err).toContain('autoscaling:PutLifecycleHook and autoscaling:UpdateAutoScalingGroup are in neither')
})
