import { expect, test } from 'vitest'
import { drainingLoads } from '../../functions/control/draining-load.ts'
import { type Hold, holdKey } from '../../functions/control/hold.ts'
import type { CallCount, EdgeReading, Unknown } from '../../functions/control/reading.ts'
import { aReading } from './reading-samples.ts'

function hold(instanceId: string, changes: Partial<Hold> = {}): Hold {
  return {
    source: 'lifecycle',
    id: `${instanceId}/hook`,
    subject: { kind: 'instance', instanceId, launchedAt: 1 },
    uris: [],
    addresses: [],
    wholeInstance: true,
    group: 'media',
    who: 'x',
    why: 'y',
    placedAt: 0,
    order: '0',
    ...changes,
  }
}
const calls = (number: number): CallCount => ({ calls: number, source: 'profile', outbound: true })
const unknown: Unknown = { unknown: 'no profile' }
function edge(id: string, counts: readonly (readonly [Hold, CallCount | Unknown])[]): EdgeReading {
  const holds = counts.map(
    ([of, count]) => [holdKey(of), { flags: 'disabled', counted: { count, at: 0, readBy: 0 } }] as const,
  )
  return { readable: true, ...aReading(id, { holds: Object.fromEntries(holds) }) }
}
const one = hold('i-1')
const two = hold('i-2')

test('the calls of a group’s held servers are summed over all edges', () => {
  const edges = [
    edge('a', [
      [one, calls(3)],
      [two, calls(0)],
    ]),
    edge('b', [
      [one, calls(4)],
      [two, calls(1)],
    ]),
  ]
  expect(drainingLoads(edges, [one, two])).toEqual([{ group: 'media', servers: 2, calls: 8, unknown: 0 }])
})

test('a server that several holds are on is counted once, and its group is what any of them knows', () => {
  const { group: _, ...groupless } = one
  const operators: Hold = { ...groupless, source: 'operator', id: 'i-1' }
  const edges = [
    edge('a', [
      [one, calls(3)],
      [operators, calls(2)],
    ]),
  ]
  expect(drainingLoads(edges, [operators, one])).toEqual([
    { group: 'media', servers: 1, calls: 3, unknown: 0 },
  ])
})

test('what could not be counted is unknown and never zero', () => {
  const away: EdgeReading = { edge: 'b', readable: false, reason: 'no reply' }
  expect(drainingLoads([edge('a', [[one, calls(3)]]), away], [one])).toMatchObject([{ calls: 3, unknown: 1 }])
  expect(drainingLoads([edge('a', [[one, unknown]])], [one])).toMatchObject([{ calls: 0, unknown: 1 }])
  expect(drainingLoads([edge('a', [])], [one])).toMatchObject([{ servers: 1, unknown: 1 }])
})

test('retired and lifted holds are no longer draining, and groups are told apart', () => {
  const elsewhere = hold('i-3', { group: 'other' })
  const bare = hold('', { subject: { kind: 'instance', instanceId: 'i-4', launchedAt: 2 } })
  const { group: _, ...groupless } = bare
  const held = [
    hold('i-5', { source: 'retired' }),
    hold('i-6', { lifted: { at: 1, by: 'x' } }),
    elsewhere,
    groupless,
  ]
  expect(drainingLoads([], held)).toEqual([
    { group: 'other', servers: 1, calls: 0, unknown: 0 },
    { group: undefined, servers: 1, calls: 0, unknown: 0 },
  ])
})
