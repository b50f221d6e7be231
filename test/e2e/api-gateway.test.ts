import { expect, test } from 'vitest'
import { defaultEmulator } from '../../lab/emulators.ts'
import { run } from '../../lab/run.ts'
import type { Scenario } from '../../lab/scenario.ts'
import { drainByLifecycle, untilBusy } from '../../lab/stage.ts'
import { sharedWorld } from './shared-world.ts'

// A named endpoint's functions sign with keys that nobody else knows.
const emulator = defaultEmulator() instanceof URL ? 'ministack' : defaultEmulator()
const world = sharedWorld({ apiGateway: true, emulator })

/** API Gateway throttles as the drain begins; once it is confirmed it throttles again, and fails in its other ways. */
const troubled: Scenario = {
  name: 'troubled scale-in',
  wave: 1,
  run: async (its, found, enough) => {
    const machine = its.machines.named('ms-1')
    await untilBusy(its, machine)
    // More than one call to one edge says again: some are given up for now.
    its.gateway?.answerNext(12, 429, 'Too Many Requests')
    const evidence = await drainByLifecycle(its, machine, {
      scenario: 'troubled scale-in',
      afterConfirmation: async () => {
        its.gateway?.answerNext(12, 429, 'Too Many Requests')
        its.gateway?.answerNext(1, 502, 'Bad Gateway')
        its.gateway?.answerNext(1, 503, 'Service Unavailable')
        its.gateway?.answerNext(1, 504, 'Endpoint request timed out')
        return {}
      },
    })
    enough()
    found(evidence)
  },
}

test('a drain through API Gateway, which throttles and fails in the middle of it, cuts no call and loses none', async () => {
  const { report } = await run(world(), [troubled])
  expect([...report.problems, ...report.scenarios.flatMap(({ problems }) => problems)]).toEqual([])
  expect(report.passed).toBe(true)
  expect(report.calls).toMatchObject({ failed: 0, cut: 0 })
})

test('every request that reached an edge was signed, and came as API Gateway passes it on', () => {
  const { forwarded = [], accessLog = [] } = world().gateway ?? {}
  expect(accessLog.filter(({ status }) => status === 403)).toEqual([])
  const counted = (wanted: number) => accessLog.filter(({ status }) => status === wanted).length
  expect([429, 502, 503, 504].map(counted)).toEqual([24, 1, 1, 1])
  expect(counted(200)).toBe(forwarded.length)
  expect(new Set(forwarded.map(({ edge }) => edge))).toEqual(new Set(['edge-a', 'edge-b']))
  for (const { headers } of forwarded) {
    expect(headers).toMatchObject({
      via: 'HTTP/1.1 AmazonAPIGateway',
      forwarded: expect.stringMatching(/^by=/),
    })
    expect(headers).not.toHaveProperty('authorization')
  }
})
