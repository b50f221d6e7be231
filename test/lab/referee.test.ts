import { describe, expect, test } from 'vitest'
import type { DrainEvidence, LaunchEvidence } from '../../lab/referee/evidence.ts'
import { disabledEverywhere, gapAfter, restoredEverywhere } from '../../lab/referee/flag-history.ts'
import { judge } from '../../lab/referee/referee.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'
import type { FlagChange } from '../../lab/sip/flag-watch.ts'

const uri = 'sip:127.0.2.1:5060'
const edges = ['edge-a', 'edge-b']

function shows(edge: string, at: number, ...sets: readonly string[]): FlagChange {
  return { edge, at, flags: new Map(sets.map((flags, index) => [index + 1, flags])) }
}
function silent(edge: string, at: number): FlagChange {
  return { edge, at, flags: undefined }
}

interface CallTimes {
  readonly invite: number
  readonly bye?: number
  readonly outcome?: CallRecord['outcome']
  readonly server?: string
}
let calls = 0
function call({ invite, bye, outcome = 'ended', server = 'ms-1' }: CallTimes): CallRecord {
  calls += 1
  return {
    callId: `${calls}`,
    caller: 'caller',
    edge: 'edge-a',
    invites: [{ server, at: invite }],
    server,
    placedAt: invite - 5,
    answeredAt: invite + 50,
    endedAt: bye,
    byeAtServerAt: bye,
    outcome,
    why: outcome === 'cut' ? 'ms-1 went away' : undefined,
  }
}
const many = (count: number, times: CallTimes) => Array.from({ length: count }, () => call(times))

/** Triggered at 1000, disabled everywhere at 2000, last BYE at 9000, completed at 12000. */
const goodCalls = [
  ...many(6, { invite: 100, bye: 9000 }),
  ...many(25, { invite: 3000, bye: 5000, server: 'ms-2' }),
]
const goodFlags = [
  shows('edge-a', 0, 'AP', 'AP'),
  shows('edge-b', 0, 'AP', 'AP'),
  shows('edge-a', 1500, 'DX', 'DX'),
  shows('edge-b', 2000, 'DX', 'DX'),
]
const good: DrainEvidence = {
  kind: 'drain',
  scenario: 'scale-in',
  destination: uri,
  machine: 'ms-1',
  server: 'ms-1',
  edges,
  triggeredAt: 1000,
  action: { endedAt: 12_000, result: 'CONTINUE', cause: 'completed', heartbeats: [] },
  watchedUntil: 12_000,
  problems: [],
}

function verdict(
  change: {
    evidence?: Partial<DrainEvidence>
    calls?: readonly CallRecord[]
    flags?: readonly FlagChange[]
  } = {},
) {
  return judge(
    { ...good, ...change.evidence },
    { calls: change.calls ?? goodCalls, flagsOf: () => change.flags ?? goodFlags },
  )
}
const figures = (report: ReturnType<typeof verdict>) => report.problems.map(({ figure }) => figure)

describe('a drain', () => {
  test('passes when all of it held, and its figures are what was seen', () => {
    expect(verdict()).toMatchObject({
      callsAtStart: 6,
      triggerToConfirmedMs: 1000,
      newCallsAfterConfirmation: 0,
      callsPlacedAfterConfirmation: 25,
      lastByeToCompletedMs: 3000,
      cut: 0,
      result: 'CONTINUE (completed)',
      passed: true,
      problems: [],
    })
  })

  test('fails, and is not skipped, when it began with too few calls', () => {
    const report = verdict({ calls: [...many(4, { invite: 100, bye: 9000 }), ...goodCalls.slice(6)] })
    expect(report.passed).toBe(false)
    expect(figures(report)).toEqual(['callsAtStart'])
  })

  test('fails when too few calls were placed afterwards to prove anything', () => {
    expect(figures(verdict({ calls: goodCalls.slice(0, 6 + 19) }))).toEqual(['callsPlacedAfterConfirmation'])
  })

  test('fails when one edge still shows one set open, and says which', () => {
    const report = verdict({ flags: [...goodFlags.slice(0, 3), shows('edge-b', 2000, 'DX', 'AP')] })
    expect(report.triggerToConfirmedMs).toBeNull()
    expect(report.problems).toEqual([
      {
        figure: 'triggerToConfirmedMs',
        text: 'never disabled on every edge: edge-a shows DX in set 1, DX in set 2; edge-b shows DX in set 1, AP in set 2',
      },
    ])
  })

  test('is not confirmed by an edge that can not be read', () => {
    expect(
      verdict({ flags: [...goodFlags.slice(0, 3), silent('edge-b', 2000)] }).triggerToConfirmedMs,
    ).toBeNull()
  })

  test('is not confirmed by an edge that lists it nowhere', () => {
    expect(
      verdict({ flags: [...goodFlags.slice(0, 3), shows('edge-b', 2000)] }).triggerToConfirmedMs,
    ).toBeNull()
  })

  test('is not confirmed by what came after the action had ended', () => {
    const action = { endedAt: 1900, result: 'CONTINUE', cause: 'completed', heartbeats: [] } as const
    expect(verdict({ evidence: { action } }).triggerToConfirmedMs).toBeNull()
  })

  test('fails by one INVITE that the server got after the confirmation', () => {
    const report = verdict({ calls: [...goodCalls, call({ invite: 2001, bye: 2500 })] })
    expect(report.newCallsAfterConfirmation).toBe(1)
    expect(figures(report)).toEqual(['newCallsAfterConfirmation'])
  })

  test('fails by one call that was cut', () => {
    const report = verdict({ calls: [...goodCalls, call({ invite: 100, outcome: 'cut' })] })
    expect(report.cut).toBe(1)
    expect(figures(report)).toEqual(['cut', 'lastByeToCompletedMs'])
  })

  test('fails when CONTINUE came before the last BYE', () => {
    const report = verdict({ calls: [...goodCalls, call({ invite: 100, bye: 12_001 })] })
    expect(report.lastByeToCompletedMs).toBe(-1)
    expect(figures(report)).toEqual(['lastByeToCompletedMs'])
  })

  test.each([
    ['the default result', { endedAt: 12_000, result: 'CONTINUE', cause: 'expired-default', heartbeats: [] }],
    ['an ABANDON', { endedAt: 12_000, result: 'ABANDON', cause: 'completed', heartbeats: [] }],
    ['nothing at all', { endedAt: undefined, result: undefined, cause: undefined, heartbeats: [] }],
  ] as const)('fails when its action ended by %s', (_, action) => {
    expect(figures(verdict({ evidence: { action } }))).toEqual(['result'])
  })

  test('keeps the calls of a restarted edge apart, and only those', () => {
    const flags = [
      ...goodFlags,
      silent('edge-b', 4100),
      shows('edge-b', 5000, 'AP', 'AP'),
      shows('edge-b', 6000, 'DX', 'DX'),
    ]
    const evidence = { restart: { edge: 'edge-b', at: 4000 } }
    const inGap = call({ invite: 5500, bye: 9000 })
    expect(verdict({ evidence, flags, calls: [...goodCalls, inGap] })).toMatchObject({
      passed: true,
      gapMs: 2000,
      newCallsInGap: 1,
      newCallsAfterConfirmation: 0,
    })
    const after = call({ invite: 6001, bye: 9000 })
    expect(figures(verdict({ evidence, flags, calls: [...goodCalls, inGap, after] }))).toEqual([
      'newCallsAfterConfirmation',
    ])
  })

  test('fails when a restarted edge was never disabled again', () => {
    const flags = [...goodFlags, silent('edge-b', 4100), shows('edge-b', 5000, 'AP', 'AP')]
    const report = verdict({ evidence: { restart: { edge: 'edge-b', at: 4000 } }, flags })
    expect(report.gapMs).toBeNull()
    expect(figures(report)).toEqual(['gapMs'])
  })
})

describe('a hold that is lifted', () => {
  const { action: _, ...withoutAction } = good
  const held = { ...withoutAction, restoreAt: 8000, watchedUntil: 12_000 }
  const restored = [...goodFlags, shows('edge-a', 8200, 'AP', 'AP'), shows('edge-b', 8400, 'AP', 'AP')]
  const records = (flags: readonly FlagChange[], more: readonly CallRecord[]) => ({
    calls: [...goodCalls, ...more],
    flagsOf: () => flags,
  })

  test('passes when every edge shows the former flags again and a call comes', () => {
    expect(judge(held, records(restored, [call({ invite: 9000, bye: 9500 })]))).toMatchObject({
      passed: true,
      result: 'restored',
      triggerToActiveMs: 400,
      callsAfterActive: 1,
    })
  })

  test('fails when an edge shows other flags than before', () => {
    const flags = [...restored.slice(0, -1), shows('edge-b', 8400, 'IP', 'AP')]
    expect(judge(held, records(flags, [])).problems.map(({ figure }) => figure)).toEqual([
      'triggerToActiveMs',
    ])
  })

  test('fails when no call comes to it', () => {
    expect(judge(held, records(restored, [])).problems.map(({ figure }) => figure)).toEqual([
      'callsAfterActive',
    ])
  })
})

describe('a launch on the address', () => {
  const launch: LaunchEvidence = {
    kind: 'launch',
    scenario: 'launch',
    destination: uri,
    machine: 'ms-1',
    server: 'ms-1.2',
    edges,
    launchedAt: 13_000,
    action: { endedAt: 13_500, result: 'CONTINUE', cause: 'completed', heartbeats: [] },
    watchedUntil: 15_000,
    problems: [],
  }
  const active = [...goodFlags, shows('edge-a', 13_200, 'AP', 'AP'), shows('edge-b', 13_300, 'AX', 'AX')]
  const come = [call({ invite: 14_000, bye: 14_500, server: 'ms-1.2' })]

  test('passes when it was retired until then, is active now and gets calls', () => {
    expect(judge(launch, { calls: come, flagsOf: () => active })).toMatchObject({
      passed: true,
      triggerToActiveMs: 300,
    })
  })

  test('fails when an edge showed it active before anybody was there', () => {
    const flags = [...goodFlags, shows('edge-b', 10_900, 'AP', 'AP'), ...active.slice(-2)]
    const { problems } = judge(launch, { calls: come, flagsOf: () => flags })
    expect(problems.map(({ figure }) => figure)).toEqual(['retired'])
  })

  test('passes when a reload had just shown the file for a moment', () => {
    const flags = [...goodFlags, shows('edge-b', 12_900, 'AX', 'AX'), ...active.slice(-2)]
    expect(judge(launch, { calls: come, flagsOf: () => flags }).problems).toEqual([])
  })
})

test('all edges must show it disabled at the same time', () => {
  const flags = [
    shows('edge-a', 0, 'DX'),
    shows('edge-b', 0, 'AP'),
    shows('edge-a', 50, 'AP'),
    shows('edge-b', 60, 'DX'),
  ]
  expect(disabledEverywhere(flags, edges, 0)).toBeUndefined()
  expect(disabledEverywhere([...flags, shows('edge-a', 70, 'DX')], edges, 0)).toBe(70)
})

test('what was so before counts from the trigger on', () => {
  expect(disabledEverywhere([shows('edge-a', 0, 'DX'), shows('edge-b', 0, 'DP')], edges, 100)).toBe(100)
})

test('former flags are those that each edge itself showed', () => {
  const flags = [
    shows('edge-a', 0, 'AP'),
    shows('edge-b', 0, 'IP'),
    shows('edge-a', 10, 'DX'),
    shows('edge-b', 10, 'DX'),
  ]
  const back = [...flags, shows('edge-a', 20, 'AP'), shows('edge-b', 21, 'AP')]
  expect(restoredEverywhere(back, edges, 15, 5)).toBeUndefined()
  expect(restoredEverywhere([...back, shows('edge-b', 22, 'IP')], edges, 15, 5)).toBe(22)
})

test('a restart that nobody saw open has not closed its gap', () => {
  expect(gapAfter(goodFlags, edges, { edge: 'edge-b', at: 4000 }).until).toBeUndefined()
})
