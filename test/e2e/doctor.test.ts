import { beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { plan } from '../../lab/plan/fleet-plan.ts'
import { waitFor } from '../../lab/scenarios/stage.ts'
import { breakGroups, handOnAlarms, handOnEdges, handOnEvents, handOnFunctions } from './doctor-plants.ts'
import { runKdc } from './kdc-process.ts'
import { sharedWorld } from './shared-world.ts'

const world = sharedWorld({})

const kdc = (...words: string[]) => {
  const { emulator, autoScaling } = world()
  return runKdc({ ...emulator.env(), AWS_ENDPOINT_URL_AUTO_SCALING: autoScaling.endpoint }, ...words)
}
const diagnosis = z.object({ findings: z.array(z.looseObject({ check: z.string(), on: z.string() })) })
/** What doctor finds, as `check on`; of names of CloudFormation the part that is ours. */
async function found() {
  const { code, out, err } = await kdc('doctor', '-o', 'json')
  expect(err).toBe('')
  const lines = diagnosis.parse(JSON.parse(out)).findings.map(({ check, on }) => {
    const ours = /^(?:dispatcher-control-)?(?:Control|Alarms)(\w+?)[0-9A-F]{8}/.exec(on)
    return `${check} ${ours?.[1] ?? on}`
  })
  return { code, findings: lines.sort() }
}

beforeAll(async () => {
  await Promise.all([handOnAlarms(world()).makeServerAlarms(), handOnFunctions(world()).settle()])
})

test('hooks that somebody has made by hand are found, and mended by what doctor names', async () => {
  expect(await found()).toEqual({
    code: 7,
    findings: ['asterisk', 'media-servers', 'patient-servers'].flatMap((group) => [
      `hook-default-result ${group}/admit-calls`,
      `hook-default-result ${group}/drain-calls`,
    ]),
  })
  expect(await kdc('hooks', 'apply', '--yes')).toMatchObject({
    ...{ code: 0, out: 'nothing to change\n' },
    err: expect.stringMatching(/admit-calls +default result +ABANDON +CONTINUE/),
  })
})

test('a lab that is whole has no finding', async () => {
  expect(await kdc('doctor')).toEqual({
    ...{ code: 0, out: expect.stringContaining('healthy: nothing was found'), err: '' },
  })
})

test('each of what is planted in it is found, and nothing else', async () => {
  const [edges, functions] = [handOnEdges(world()), handOnFunctions(world())]
  const [events, alarms] = [handOnEvents(world()), handOnAlarms(world())]
  const longestCallSeconds = plan.longestCallSeconds + 1
  expect((await kdc('freeze', '-m', 'maintenance')).code).toBe(0)
  await Promise.all([
    edges.addEdge({ name: 'edge-c', address: '127.0.1.3', plain: true }),
    edges.addEdge({ name: 'edge-d', address: '127.0.1.4', guard: false, longestCallSeconds }),
    edges.listOddEntries(),
    edges.loseEdge(),
  ])
  // Their parameters are read anew when their event has come.
  const areRead = async () => {
    await functions.settle()
    const { findings } = await found()
    return ['-guard edge-c', '-guard edge-d', '-unreadable edge-b'].every((end) =>
      findings.some((finding) => finding.endsWith(end)),
    )
  }
  expect(await waitFor(90_000, areRead, 1000)).toBe(true)
  breakGroups(world())
  await Promise.all([
    edges.putParameter('edge-x', 'http://10.0.0.5:8080/rpc'),
    ...['IntakeLifecycleActions', 'SweepScheduleEveryMinute'].map(events.disableRule),
    ...['AlarmEventDeadLetter', 'LifecycleActionsUndelivered', 'SweepFailed'].map((queue) =>
      events.leaveMessage(`${queue}QueueUrl`),
    ),
    functions.disableConsumer(),
    functions.stopSettle(),
    alarms.raiseAndMute('AlarmsDrift'),
    alarms.deleteServerAlarm(),
  ])
  expect(await found()).toEqual({
    code: 7,
    findings: [
      ...['alarm Drift', 'alarm-muted Drift', 'calls-failed SweepScheduleFailed'],
      'dead-letters IntakeAlarmEventsDeadLetters',
      ...['edge-batches edge-c', 'edge-guard edge-c', 'edge-guard edge-d'],
      ...['edge-list-refused /dispatcher-control/edges', 'edge-profiles edge-c'],
      ...['edge-readable-list edge-a', 'edge-unreadable edge-b'],
      ...['events-undelivered IntakeLifecycleActionsUndelivered', 'freeze fleet'],
      'group-suspended media-servers',
      ...['admit-calls', 'drain-calls'].map((name) => `hook-default-result patient-servers/${name}`),
      ...['hook-heartbeat asterisk/drain-calls', 'hook-missing media-servers/admit-calls'],
      ...['hook-transition media-servers/drain-calls', 'lifecycle-policy media-servers'],
      ...['longest-call edge-d', 'others-hook media-servers/theirs'],
      'queue-consumer-disabled OnAlarmEventsFunctionMessages',
      ...['rule-disabled IntakeLifecycleActions', 'schedule-disabled SweepScheduleEveryMinute'],
      ...['server-alarm-missing ms-9-failing', 'settle-stopped SettleFunction'],
      'unresolved-name edge-a',
    ],
  })
})
