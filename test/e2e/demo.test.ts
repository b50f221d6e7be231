import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { defaultEmulator } from '../../lab/emulator/emulators.ts'
import type { Report } from '../../lab/referee/report.ts'
import { run } from '../../lab/scenarios/run.ts'
import { type SabotageName, sabotageNamed, shownBy } from '../../lab/scenarios/sabotage.ts'
import { everyScenario } from '../../lab/scenarios/scenarios.ts'
import { some } from '../present.ts'
import { sharedWorld } from './shared-world.ts'

// LocalStack has no roles.
const auth = defaultEmulator() === 'ministack'
const world = sharedWorld({ auth })

describe(`under live calls, with ${auth ? 'every role' : 'no role'} checked`, () => {
  let report: Report

  beforeAll(async () => {
    report = (await run(world(), everyScenario)).report
  })

  test('every promise held', () => {
    expect([
      ...report.problems,
      ...report.scenarios.flatMap(({ name, problems }) => problems.map((p) => ({ name, ...p }))),
    ]).toEqual([])
    expect(report.passed).toBe(true)
  })

  test('no call failed and none was cut', () => {
    expect(report.calls).toMatchObject({ failed: 0, cut: 0 })
    expect(report.calls.placed).toBeGreaterThan(100)
  })

  test('every scenario is in the report', () => {
    for (const { name } of some(everyScenario))
      expect(
        report.scenarios.filter((part) => part.name.startsWith(name)),
        name,
      ).not.toEqual([])
  })

  test('no drained server got a call after the lab saw it disabled, and CONTINUE came after the last BYE', () => {
    const drains = report.scenarios.filter(({ kind }) => kind === 'drain')
    for (const part of some(drains)) {
      expect(part.callsAtStart, part.name).toBeGreaterThanOrEqual(5)
      expect(part.callsPlacedAfterConfirmation, part.name).toBeGreaterThanOrEqual(20)
      expect(part.newCallsAfterConfirmation, part.name).toBe(0)
    }
    for (const part of some(drains.filter(({ result }) => result.startsWith('CONTINUE'))))
      expect(part.lastByeToCompletedMs, part.name).toBeGreaterThanOrEqual(0)
  })

  test("each edge's log says which event or command a write was made for", () => {
    for (const { name, logFile } of some(world().edges)) {
      const writes = readFileSync(logFile, 'utf8').matchAll(/rpc: write from \S+ for (\S+): \{/g)
      const ids = [...writes].map(([, id]) => id)
      expect(ids, name).toContain('reload-1')
      // A settle does what is wanted by then, whoever asked for it: a change may be made by the run that was
      // at work already, in its name.
      expect(ids.filter((id) => id === undefined || id === '' || id === '-')).toEqual([])
      // EventBridge's, of Auto Scaling's events and alarms
      expect(ids.filter((id) => /^[0-9a-f]{8}-/.test(id ?? '')).length, name).toBeGreaterThan(0)
    }
  })
})

describe('a referee that can not fail proves nothing', () => {
  test.each<SabotageName>(['early-continue', 'reactivated', 'two-writers'])('%s is seen', async (name) => {
    const sabotage = sabotageNamed(name)
    const since = Date.now()
    await world().startTraffic()
    const { report } = await run(world(), [sabotage.scenario], { sabotage: name, since })
    expect(report.passed).toBe(false)
    expect(shownBy(sabotage, report)).toBeDefined()
  })
})
