import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../../cli/desk/exit-codes.ts'
import { some } from '../present.ts'
import { minutes } from '../world/world.ts'
import { changed, group, hook, plants } from './doctor-plants.ts'
import { doctorWorld, elsewhere } from './doctor-world.ts'
import { alice } from './kdc-world.ts'

/** Headings, as GitHub makes anchors of them. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
/** Documents that a remedy names and that have no such heading. */
function lost(mend: string): string[] {
  return [...mend.matchAll(/([\w/]+\.md)#([\w-]+)/g)].flatMap(([link, file = '', anchor = '']) => {
    const path = join(import.meta.dirname, '../..', file)
    return existsSync(path) && anchorsOf(readFileSync(path, 'utf8')).includes(anchor) ? [] : [link]
  })
}

test('nothing is found of what is whole: 0', async () => {
  const { found, printed } = doctorWorld()
  expect(await found()).toEqual({ code: exitCodes.done, findings: [] })
  expect((await printed('doctor')).out).toBe(
    'dispatcher-control  2026-11-22T20:00:00Z  healthy: nothing was found\n',
  )
})

test.each(plants)('%s of %s is found, alone, with what mends it: 7', async (check, on, plant) => {
  const world = doctorWorld()
  await world.world.settledAll()
  await plant(world)
  const { code, findings } = await world.found()
  expect(findings.map((each) => each.check)).toEqual([check])
  expect(code).toBe(exitCodes.findings)
  expect(findings[0]?.on).toContain(on)
  expect(findings[0]?.mend).toMatch(/\w/)
  // What it has to be pasted is for this very deployment.
  for (const { mend } of some(findings)) {
    expect(mend).not.toMatch(/\bkdc (?!--stack voice --region eu-west-1 --profile voice |of the release)/)
    expect(mend).not.toMatch(/\baws (?!--region eu-west-1 --profile voice )/)
  }
  expect(findings.flatMap(({ mend }) => lost(mend))).toEqual([])
})

const retains = { callsLeft: 'retain', unknown: 'retain' } as const
const settings = (deadlinePolicy: {
  callsLeft: 'retain' | 'end-calls'
  unknown: 'retain' | 'terminate'
}) => ({
  config: {
    groups: [
      {
        ...{ name: group, terminateHook: 'drain-calls', launchHook: 'admit-calls', deadlinePolicy },
        ...{ heartbeatTimeoutSeconds: 300, drainDeadlineSeconds: 3600 },
      },
    ],
  },
})

test('a group that may retain and does not keep what is abandoned, and a hook that lets it go, are found', async () => {
  const world = doctorWorld(settings(retains))
  changed(world.around.shown.groups, group, { retains: false })
  hook(world, 'drain-calls', { defaultResult: 'CONTINUE' })
  const { findings } = await world.found()
  expect(findings.map(({ check, mend }) => [check, mend])).toEqual([
    ['lifecycle-policy', `kdc ${elsewhere} hooks apply`],
    ['hook-default-result', `kdc ${elsewhere} hooks apply`],
  ])
})

test('an edge that lets no calls be ended is found where a group has them ended', async () => {
  const world = doctorWorld(settings({ callsLeft: 'end-calls', unknown: 'terminate' }))
  expect((await world.found()).findings).toEqual([])
  world.planted.facts = { endsCalls: false }
  const { findings } = await world.found()
  expect(findings.map(({ check, on }) => [check, on])).toEqual([['ends-calls', 'edge-a']])
})

const denied = (action: string) =>
  Object.assign(new Error(`User: ${alice} is not authorized to perform: ${action} on resource: *`), {
    name: 'AccessDeniedException',
  })

test.each([
  ['resources', 'cloudformation:ListStackResources'],
  ['settings', 'lambda:GetFunctionConfiguration'],
  ['reserved', 'lambda:GetFunctionConcurrency'],
  ['edgeList', 'ssm:GetParametersByPath'],
  ['rule', 'events:DescribeRule'],
  ['mapping', 'lambda:GetEventSourceMapping'],
  ['messages', 'sqs:GetQueueAttributes'],
  ['alarms', 'cloudwatch:DescribeAlarms'],
  ['groups', 'autoscaling:DescribeAutoScalingGroups'],
  ['hooks', 'autoscaling:DescribeLifecycleHooks'],
] as const)('what may not be looked at, %s, is a finding that names %s, once', async (method, action) => {
  const { around, found } = doctorWorld()
  Object.assign(around, { [method]: () => Promise.reject(denied(action)) })
  expect((await found()).findings).toMatchObject([{ check: 'permission', severity: 'warning', on: action }])
})

test('by a clock of this machine that is ahead no edge is called unread: the clock is found, alone', async () => {
  const { kdc, world, shelf } = doctorWorld()
  const { clock: aws } = world
  const by = (aheadMs: number) => {
    const clock = { ...aws, now: () => aws.now() + aheadMs, sleep: (ms: number) => aws.sleep(ms) }
    return kdc('doctor', { clock, deployed: { shelf } })
  }
  const { code, out } = await by(10 * minutes)
  expect(code).toBe(exitCodes.findings)
  expect(out).toContain('errors: 1, warnings: 0')
  expect(out).toContain("this machine  (own-clock)\n  its clock is 10m ahead of AWS's")
  expect((await by(-10 * minutes)).out).toContain("its clock is 10m behind AWS's")
  expect((await by(2900)).code).toBe(exitCodes.done)
})

test('a table that may not be read keeps nothing else from being looked at', async () => {
  const { around, shelf, found } = doctorWorld()
  Object.assign(shelf, { holds: () => Promise.reject(denied('dynamodb:Query')) })
  around.shown.messages.set('ControlCommandsDeadLetters9F', 1)
  expect((await found()).findings.map(({ check, on }) => [check, on])).toEqual([
    ['dead-letters', 'ControlCommandsDeadLetters9F'],
    ['permission', 'dynamodb:Query'],
  ])
})

test('errors come first, with what mends them on a line of its own', async () => {
  const { around, planted, printed } = doctorWorld()
  planted.facts = { guard: false }
  around.shown.reserved.set('dispatcher-control-ControlSettleFunction9F', 0)
  const { code, out } = await printed('doctor')
  expect(code).toBe(exitCodes.findings)
  expect(out).toMatchInlineSnapshot(`
    "dispatcher-control  2026-11-22T20:00:00Z  errors: 1, warnings: 1

    error  dispatcher-control-ControlSettleFunction9F  (settle-stopped)
      its reserved concurrency is 0: no edge is read or written
      mend: aws lambda delete-function-concurrency --function-name dispatcher-control-ControlSettleFunction9F

    warning  edge-a  (edge-guard)
      no drain guard, a reload opens what is held until it is held again
      mend: kamailio/README.md#what-each-feature-needs
    "
  `)
})

test('an alarm of somebody else in the same stack is not ours to judge', async () => {
  const { around, found } = doctorWorld()
  changed(around.shown.alarms, 'dispatcher-control-Drift', { state: 'ALARM', description: 'theirs' })
  expect((await found()).findings).toEqual([])
})
