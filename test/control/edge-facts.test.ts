import { describe, expect, test } from 'vitest'
import { describeEdge, type EdgeFacts, lacksOf, totalCalls } from '../../functions/control/edge-facts.ts'
import type { EdgeList } from '../../functions/control/edge-list.ts'
import { listed } from './samples.ts'

const edge = { id: 'edge-a', restoresDialogs: false }
/** An edge with all of our files that has counted calls. */
const facts: EdgeFacts = {
  version: 'kamailio 6.1.5 (x86_64/Linux)',
  bootTime: 'Sun Nov 22 20:16:46 2026',
  uptimeSeconds: 4711,
  bootId: '1795724058-4711',
  batch: true,
  fence: true,
  guard: true,
  profiles: ['dst', 'src'],
  counters: true,
  dialogs: 3,
  callsTo: 2,
  callsFrom: 1,
  begun: 7,
  begunTo: 5,
  endsCalls: false,
  keepalives: true,
}
const list: EdgeList = { destinations: [listed('sip:10.0.1.20', { iuid: 'dspt-1' })], opaque: [] }

const described = (changes: Partial<EdgeFacts> = {}, its: EdgeList = list) =>
  describeEdge(edge, { ...facts, ...changes }, its)
describe('an edge is described', () => {
  test('by its facts, its settings and its list', () => {
    expect(described()).toMatchObject({
      ...facts,
      edge: 'edge-a',
      restoresDialogs: false,
      counts: 'counting',
    })
    expect(described().list).toEqual({ destinations: 1, opaque: 0, opaqueSamples: [], iuid: true })
  })

  test('with the first few of its opaque entries, and all of them counted', () => {
    const opaque = Array.from({ length: 9 }, (_, n) => ({ set: 1, text: `tel:${n}` }))
    const { list: shown } = described({}, { destinations: [], opaque })
    expect(shown).toEqual({
      destinations: 0,
      opaque: 9,
      opaqueSamples: ['tel:0', 'tel:1', 'tel:2', 'tel:3', 'tel:4'],
      iuid: false,
    })
  })

  test('as one where a reload can be told only where an entry has an IUID', () => {
    expect(described({}, { destinations: [listed('sip:10.0.1.20')], opaque: [] }).list.iuid).toBe(false)
  })

  const none = { begun: 0, begunTo: 0, callsTo: 0, callsFrom: 0 }
  test.each<[string, Partial<EdgeFacts>, 'counting' | 'never' | 'unproved']>([
    ['calls to a destination began', { ...none, begun: 1, begunTo: 1, dialogs: 0 }, 'counting'],
    ['calls to a destination are up', { ...none, callsTo: 2, dialogs: 2 }, 'counting'],
    [
      'calls to one began of which none is left, while others are up',
      { ...none, begun: 5, begunTo: 5, dialogs: 3 },
      'counting',
    ],
    ['dialogs are up and none is counted', { ...none, dialogs: 3 }, 'never'],
    [
      'more dialogs are up than the calls that media servers place',
      { ...none, begun: 9, callsFrom: 2, dialogs: 3 },
      'never',
    ],
    ['only media servers have placed calls', { ...none, begun: 9, callsFrom: 3, dialogs: 3 }, 'unproved'],
    ['no call came yet', { ...none, dialogs: 0 }, 'unproved'],
  ])('to count when that is proved: %s', (_what, changes, expected) => {
    expect(described(changes).counts).toBe(expected)
  })

  test('to count by its profiles alone, where it has no counters', () => {
    const { begun: _begun, begunTo: _begunTo, ...old } = { ...facts, counters: false }
    expect(describeEdge(edge, old, list).counts).toBe('counting')
    const empty = { ...old, callsTo: 0, callsFrom: 0 }
    expect(describeEdge(edge, empty, list).counts).toBe('never')
    expect(describeEdge(edge, { ...empty, dialogs: 0 }, list).counts).toBe('unproved')
  })

  test('as unproved where nobody can say, without the dialog module', () => {
    const { dialogs: _dialogs, ...noDialogs } = { ...facts, ...none }
    expect(describeEdge(edge, noDialogs, list).counts).toBe('unproved')
  })
})

test('the total of all calls is that of both profiles, and unknown where one is missing', () => {
  expect(totalCalls(facts)).toBe(3)
  const { callsTo: _to, ...outbound } = facts
  const { callsFrom: _from, ...inbound } = facts
  expect([totalCalls(outbound), totalCalls(inbound)]).toEqual([undefined, undefined])
})

describe('what an edge lacks', () => {
  test('is nothing where all is there', () => {
    expect(lacksOf(described())).toEqual([])
    expect(lacksOf(described(), true)).toEqual([])
  })

  test('is nothing for what is a matter of taste: keepalives, ending calls, IUID, the dialogs’ timeout, the clock', () => {
    const plain = { keepalives: false, endsCalls: false, clockDifferenceSeconds: 3, longestCallSeconds: 60 }
    expect(lacksOf(described(plain, { destinations: [listed('sip:10.0.1.20')], opaque: [] }))).toEqual([])
  })

  const opaque: EdgeList = { ...list, opaque: [{ set: 1, text: 'sip:127.0.62.1;x="q"' }] }
  test.each<[string, Partial<EdgeFacts>, EdgeList, RegExp]>([
    [
      'the profile "dst"',
      { profiles: ['src'], counters: false },
      list,
      /no call profiles, calls are counted by weaker/,
    ],
    ['the profile "src"', { profiles: ['dst'] }, list, /no profile "src"/],
    [
      'a script that counts',
      { begun: 0, begunTo: 0, callsTo: 0, callsFrom: 0 },
      list,
      /DISPATCHER_CONTROL_COUNT_TO/,
    ],
    ['begun counters', { counters: false }, list, /no begun counters/],
    ['the guard', { guard: false }, list, /no drain guard/],
    ['batches', { batch: false, fence: false }, list, /no batches and no fence/],
    ['a list that can be read', {}, opaque, /1 entries of its list .*"sip:127\.0\.62\.1;x=\\"q\\""/],
    [
      'a script without errors',
      { configurationError: 'add flags 2' },
      list,
      /its script reports: add flags 2/,
    ],
  ])('is said in one line, for its reason and no other: %s', (_what, changes, its, line) => {
    const lines = lacksOf(described(changes, its))
    expect(lines).toEqual([expect.stringMatching(line)])
    expect(lines[0]).toMatch(/^edge edge-a: \S/)
  })

  test('is not the profile "src" where media servers are asked for their own count', () => {
    expect(lacksOf(described({ profiles: ['dst'] }), true)).toEqual([])
  })

  test('is not "src" or the counters as well, where it keeps no profile at all', () => {
    const lines = lacksOf(described({ profiles: [], counters: false }))
    expect(lines).toEqual([expect.stringMatching(/no call profiles/)])
  })

  test('of somebody who has none of our files is all of it, each once, in this order', () => {
    const { version, bootTime, uptimeSeconds } = facts
    const rest = { version, bootTime, uptimeSeconds, dialogs: 3 }
    const plain = { ...rest, batch: false, fence: false, guard: false, counters: false, profiles: [] }
    const lines = lacksOf(describeEdge(edge, plain, opaque))
    expect(
      lines.map((line) => /no call profiles|no drain guard|no batches|can not be read/.exec(line)?.[0]),
    ).toEqual([...['no call profiles', 'no drain guard', 'no batches', 'can not be read']])
  })
})
