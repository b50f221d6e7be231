import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { activeCalls, renderPlot } from '../../lab/referee/plot.ts'
import type { ScenarioReport } from '../../lab/referee/referee.ts'
import { exitCodeOf, inWords, makeReport, type ReportInput } from '../../lab/referee/report.ts'
import { renderHtml } from '../../lab/referee/report-html.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'

const scenario: ScenarioReport = {
  name: 'scale-in',
  kind: 'drain',
  machine: 'ms-1',
  destination: 'sip:127.0.2.1:5060',
  callsAtStart: 8,
  triggerToConfirmedMs: 420,
  newCallsAfterConfirmation: 0,
  callsPlacedAfterConfirmation: 150,
  lastByeToCompletedMs: 4780,
  cut: 0,
  result: 'CONTINUE (completed)',
  passed: true,
  problems: [],
}
const call = (outcome: CallRecord['outcome'], why?: string): CallRecord => ({
  callId: 'c',
  caller: 'caller',
  edge: 'edge-a',
  invites: [{ server: 'ms-1', at: 1000 }],
  server: 'ms-1',
  placedAt: 990,
  answeredAt: outcome === 'failed' || outcome === 'ringing' ? undefined : 1050,
  endedAt: outcome === 'ended' ? 3000 : undefined,
  byeAtServerAt: outcome === 'ended' ? 3000 : undefined,
  outcome,
  why,
})
const input: ReportInput = {
  startedAt: 0,
  endedAt: 60_000,
  kamailioVersions: {
    'edge-a': 'kamailio 6.1.5 (x86_64/Linux) ',
    'edge-b': 'kamailio 6.1.5 (x86_64/Linux) ',
  },
  failoverWindowMs: 3000,
  calls: [call('ended')],
  scenarios: [scenario],
  broken: [],
  strangers: [],
  lostTime: { longestMs: 12, totalMs: 90 },
}

test('a run in which every promise held has passed, and says so', () => {
  const report = makeReport(input)
  expect(report).toMatchObject({
    passed: true,
    kamailioVersions: ['6.1.5'],
    edges: ['edge-a', 'edge-b'],
    failoverWindowMs: 3000,
    calls: { placed: 1, answered: 1, failed: 0, cut: 0 },
  })
  expect(inWords(report).at(-1)).toBe('Every promise held.')
})

test.each<[string, Partial<ReportInput>]>([
  ['a call that failed', { calls: [call('failed', '503')] }],
  ['a call that was cut', { calls: [call('cut', 'ms-1 went away')] }],
  ['a call that is still up', { calls: [call('up')] }],
  ['a scenario that failed', { scenarios: [{ ...scenario, passed: false }] }],
  ['a scenario that broke off', { broken: [{ figure: 'scenarios', text: 'it threw' }] }],
  ['a second writer', { strangers: [{ figure: 'edges.writes', text: 'edge-a got 2 writes' }] }],
  ['no scenario at all', { scenarios: [] }],
])('a run with %s has not passed', (_, change) => {
  const report = makeReport({ ...input, ...change })
  expect(report.passed).toBe(false)
  expect(inWords(report).at(-1)).toBe('Not every promise held.')
})

const plot = {
  machines: [{ name: 'ms-1', address: '127.0.2.1' }],
  calls: [call('ended')],
  marks: [
    { at: 1500, machine: 'ms-1', label: 'scale-in' },
    { at: 2500, label: '<edge-b> restarted' },
  ],
  from: 0,
  until: 10_000,
}

test('the HTML report needs nothing from elsewhere and runs no script', () => {
  const html = renderHtml(makeReport(input), plot)
  expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:/)
  expect(html).toContain('prefers-color-scheme: dark')
  expect(html).toContain('@media print')
})

test('what SIP or an edge said is text in the HTML report, never markup', () => {
  const nasty = { ...scenario, name: '<b>&"', problems: [{ figure: 'cut', text: '<script>' }], passed: false }
  const html = renderHtml(makeReport({ ...input, scenarios: [nasty] }), plot)
  expect(html).not.toContain('<b>')
  expect(html).not.toContain('<script')
  expect(renderPlot(plot)).toContain('&lt;edge-b&gt; restarted')
})

test('active calls go up at the answer and down at the BYE, over all machines that had the address', () => {
  const next = { ...call('ended'), server: 'ms-1.2', answeredAt: 5000, byeAtServerAt: 6000 }
  const other = { ...call('ended'), server: 'ms-10' }
  expect(activeCalls([call('ended'), next, other], 'ms-1', 10_000)).toEqual([
    { at: 1050, count: 1 },
    { at: 3000, count: 0 },
    { at: 5000, count: 1 },
    { at: 6000, count: 0 },
  ])
})

describe('a machine that took the time that calls need', () => {
  const stopped = { longestMs: 1800, totalMs: 2400 }
  const slow = { longestMs: 90, totalMs: 9000 }

  test.each([stopped, slow])(
    'leaves a run that failed without a verdict, and tells the figure: $longestMs ms',
    (lostTime) => {
      const report = makeReport({ ...input, lostTime, calls: [call('cut', 'ms-1 went away')] })
      expect(report).toMatchObject({ passed: false, tooSlow: true, lostTime })
      expect(exitCodeOf(report)).toBe(3)
      expect(inWords(report).at(-1)).toMatch(
        new RegExp(
          `^This machine was too slow to judge: .* up to ${lostTime.longestMs} ms late, ${lostTime.totalMs} ms in 60 s`,
        ),
      )
      expect(inWords(report).join()).toContain('1 calls were cut')
    },
  )

  test.each([
    { strangers: [{ figure: 'edges.writes', text: 'edge-a got 2 writes' }] },
    { broken: [{ figure: 'scenarios', text: 'it threw' }] },
  ])('excuses no second writer, and no scenario that broke off: %j', (found) => {
    const report = makeReport({ ...input, ...found, lostTime: stopped })
    expect(report).toMatchObject({ passed: false, tooSlow: false })
    expect(exitCodeOf(report)).toBe(1)
  })

  test('takes nothing from a run in which every promise held', () => {
    const report = makeReport({ ...input, lostTime: stopped })
    expect(report).toMatchObject({ passed: true, tooSlow: false })
    expect(exitCodeOf(report)).toBe(0)
  })

  test('is found where the whole of a program is stopped for a while', async () => {
    const file = new URL('../../lab/referee/lost-time.ts', import.meta.url).href
    const program = `
      import { watchLostTime } from '${file}'
      const watch = watchLostTime()
      setInterval(() => console.log(watch.soFar().longestMs), 500)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    for await (const line of createInterface(child.stdout)) {
      if (Number(line) >= 900) child.kill('SIGKILL')
      // Its timer may not have begun at the first time.
      child.kill('SIGSTOP')
      await sleep(1000)
      child.kill('SIGCONT')
    }
    expect(await exited).toEqual([null, 'SIGKILL'])
  })
})
