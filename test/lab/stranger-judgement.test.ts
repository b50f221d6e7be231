import { describe, expect, test } from 'vitest'
import type { DrainEvidence, Evidence, LaunchEvidence } from '../../lab/referee/evidence.ts'
import { type EdgeRecords, strangerProblems } from '../../lab/referee/stranger-judgement.ts'
import type { EdgeWrite } from '../../lab/sip/edge-writes.ts'
import type { FlagChange } from '../../lab/sip/flag-watch.ts'

const held = 'sip:127.0.2.1:5060'
const other = 'sip:127.0.2.2:5060'
const edges = ['edge-a', 'edge-b']
const uuid = 'f22cb184-d534-4651-8d89-735ced971d63'

function shows(edge: string, at: number, ...sets: readonly string[]): FlagChange {
  return { edge, at, flags: new Map(sets.map((flags, index) => [index + 1, flags])) }
}
const silent = (edge: string, at: number): FlagChange => ({ edge, at, flags: undefined })

function write(edge: string, at: number, change: Partial<EdgeWrite> = {}): EdgeWrite {
  return { edge, at, madeFor: uuid, method: 'dispatcher.set_state', params: `"d",1,"${held}"`, ...change }
}
const reload = (edge: string, at: number, madeFor = 'reload-1') =>
  write(edge, at, { method: 'dispatcher.reload', params: '', madeFor })

/** Asked for at 1000, disabled everywhere at 2000. */
const drain: DrainEvidence = {
  kind: 'drain',
  scenario: 'scale-in',
  destination: held,
  machine: 'ms-1',
  server: 'ms-1',
  edges,
  triggeredAt: 1000,
  watchedUntil: 12_000,
  problems: [],
}
const drained = [
  shows('edge-a', 0, 'AP', 'AP'),
  shows('edge-b', 0, 'AP', 'AP'),
  shows('edge-a', 1500, 'DX', 'DX'),
  shows('edge-b', 2000, 'DX', 'DX'),
]
const launch: LaunchEvidence = {
  ...drain,
  kind: 'launch',
  launchedAt: 9000,
  action: { endedAt: 9500, result: 'CONTINUE', cause: 'completed', heartbeats: [] },
}
const given = [shows('edge-a', 9200, 'AP', 'AP'), shows('edge-b', 9400, 'AP', 'AP')]
const written = [write('edge-a', 1500), write('edge-b', 2000)]

interface Change {
  readonly since?: number
  readonly evidence?: readonly Evidence[]
  readonly flags?: readonly FlagChange[]
  readonly others?: readonly FlagChange[]
  readonly writes?: readonly EdgeWrite[]
}
/** Whatever `change` adds to a drain in which nobody else wrote. */
function found({ since = 0, evidence = [drain], flags = [], others = [], writes = [] }: Change = {}) {
  const records: EdgeRecords = {
    since,
    destinations: [
      { name: 'ms-1', uri: held },
      { name: 'ms-2', uri: other },
    ],
    evidence,
    flagsOf: (uri) =>
      uri === held
        ? [...drained, ...flags].sort((one, next) => one.at - next.at)
        : [shows('edge-a', 0, 'AP', 'AP'), shows('edge-b', 0, 'AP', 'AP'), ...others],
    writes: [...written, ...writes],
    commandIds: new Set(['reload-1']),
  }
  return strangerProblems(records)
}
const figures = (change: Change) => found(change).map(({ figure }) => figure)

test('a drain that nobody else writes into shows no second writer', () => {
  expect(found()).toEqual([])
})

describe("a write in an edge's log", () => {
  test('that names none of our reasons is a second writer, and the verdict has its edge and request', () => {
    const writes = [
      write('edge-a', 3000, { madeFor: '-', params: `"ap",1,"${held}"` }),
      write('edge-a', 3100, { madeFor: 'my-script', params: `"ap",1,"${held}"` }),
    ]
    expect(found({ writes })).toEqual([
      {
        figure: 'edges.writes',
        text: `edge-a got 2 writes that name no event, command or run of ours but "-", "my-script": dispatcher.set_state "ap",1,"${held}"`,
      },
    ])
  })

  test('of an earlier run in the same world is not held against this one', () => {
    const writes = [write('edge-a', 500, { madeFor: '-' })]
    expect(figures({ writes })).toEqual(['edges.writes'])
    expect(figures({ writes, since: 501 })).toEqual([])
  })

  test('must be there: a log without any proves nothing', () => {
    expect(found({ since: 1501 }).map(({ text }) => text)).toEqual([
      "the log of edge-a has no write: it can't show who wrote",
    ])
  })
})

describe('a held destination that an edge shows open', () => {
  const opened = [shows('edge-b', 5000, 'DX', 'AP')]

  test('was opened by somebody else, whatever the writes name, in one set on one edge too', () => {
    expect(found({ flags: opened })).toEqual([
      {
        figure: 'edges.reopened',
        text: 'somebody else changed a state: edge-b showed ms-1 open while it was held, once: AP in set 2',
      },
    ])
  })

  test('was opened as often as it was disabled in between', () => {
    const flags = [...opened, shows('edge-b', 6000, 'DX', 'DX'), shows('edge-b', 6500, 'IP', 'DX')]
    expect(found({ flags }).map(({ text }) => text)).toEqual([
      expect.stringMatching(/2 times: AP in set 2; IP in set 1$/),
    ])
  })

  test('was not reopened as long as not every edge had disabled it', () => {
    const flags = [shows('edge-a', 1600, 'AP', 'AP'), shows('edge-a', 1700, 'DX', 'DX')]
    expect(figures({ flags })).toEqual([])
  })

  test('is still looked for when its drain is over and it is retired, until the launch', () => {
    const evidence = [drain, launch]
    expect(figures({ evidence, flags: [shows('edge-b', 8999, 'AP', 'AP'), ...given] })).toEqual([
      'edges.reopened',
    ])
    expect(figures({ evidence, flags: given })).toEqual([])
  })

  test('was given back when its hold had been lifted', () => {
    expect(figures({ evidence: [{ ...drain, restoreAt: 9000 }], flags: given })).toEqual([])
    expect(figures({ evidence: [{ ...drain, restoreAt: 9300 }], flags: given })).toEqual(['edges.reopened'])
  })

  test('shows the file of an edge that was restarted, on that edge and until it is disabled again', () => {
    const evidence = [{ ...drain, restart: { edge: 'edge-b', at: 4000 } }]
    const restarted = [
      silent('edge-b', 4100),
      shows('edge-b', 5000, 'AP', 'AP'),
      shows('edge-b', 6000, 'DX', 'DX'),
    ]
    expect(figures({ flags: restarted })).toEqual(['edges.reopened'])
    expect(figures({ evidence, flags: restarted })).toEqual([])
    const flags = [...restarted, shows('edge-b', 6500, 'AP', 'DX')]
    expect(figures({ evidence, flags })).toEqual(['edges.reopened'])
    const elsewhere = [
      ...restarted.slice(0, 2),
      shows('edge-a', 5500, 'AP', 'DX'),
      shows('edge-a', 5600, 'DX', 'DX'),
      ...restarted.slice(2),
    ]
    expect(found({ evidence, flags: elsewhere }).map(({ text }) => text)).toEqual([
      expect.stringContaining('edge-a'),
    ])
  })

  test.each([
    ['by our reload', reload('edge-b', 5000), []],
    ['2 s after our reload', reload('edge-b', 3000), []],
    ['more than 2 s after our reload', reload('edge-b', 2999), ['edges.reopened']],
    ['before our reload', reload('edge-b', 5001), ['edges.reopened']],
    ['by our reload of another edge', reload('edge-a', 5000), ['edges.reopened']],
    ["by a stranger's reload", reload('edge-b', 5000, '-'), ['edges.writes', 'edges.reopened']],
    ['by another write of ours', write('edge-b', 5000), ['edges.reopened']],
  ])('shows the file after a reload of ours for 2 s at most: %s', (_, its, expected) => {
    expect(figures({ flags: opened, writes: [its] })).toEqual(expected)
  })
})

describe('a destination that an edge shows disabled', () => {
  test('was disabled by somebody else when nobody had asked us to', () => {
    const others = [shows('edge-a', 3000, 'DP', 'AP')]
    expect(found({ others })).toEqual([
      {
        figure: 'edges.disabled',
        text: 'somebody else changed a state: edge-a showed ms-2 disabled while nothing held it, once: DP in set 1',
      },
    ])
  })

  test('was not disabled by us before its drain was asked for', () => {
    expect(figures({ evidence: [{ ...drain, triggeredAt: 1501 }] })).toEqual(['edges.disabled'])
  })

  test.each([
    ['its hold was lifted', [{ ...drain, restoreAt: 9000 }]],
    ['its successor was launched', [drain, launch]],
  ])('was not disabled by us when %s and every edge had given it back', (_, evidence) => {
    const again = shows('edge-a', 9500, 'DX', 'AP')
    expect(figures({ evidence, flags: [...given, again] })).toEqual(['edges.disabled'])
    const before = [shows('edge-a', 9200, 'AP', 'AP'), shows('edge-a', 9300, 'DX', 'AP')]
    expect(figures({ evidence, flags: before })).toEqual([])
  })

  test('was so before the run, or from the first reading on: that is nobody’s doing now', () => {
    expect(figures({ since: 3001, others: [shows('edge-a', 3000, 'DP')], writes: later })).toEqual([])
    expect(figures({ others: [shows('edge-c', 3000, 'DP')] })).toEqual([])
  })

  test('was disabled by somebody else while the edge could not be read, too', () => {
    const others = [silent('edge-a', 2000), shows('edge-a', 3000, 'DP')]
    expect(figures({ others })).toEqual(['edges.disabled'])
  })

  test('and only fails its probes now, has not been changed by anybody', () => {
    expect(figures({ others: [shows('edge-a', 3000, 'IP', 'TP')] })).toEqual([])
  })
})

const later = edges.map((edge) => write(edge, 4000))
