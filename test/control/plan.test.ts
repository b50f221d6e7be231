import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Flags, ListedDestination } from '../../functions/control/destination.ts'
import {
  addressing,
  entriesOf,
  isDisabled,
  restoredState,
  type StateWrite,
} from '../../functions/control/plan.ts'
import { present } from '../present.ts'
import { hold, listed, machine, uri } from './samples.ts'

const scope = hold({ uris: [uri('sip:10.0.1.20:5060')] })
const allFlags = ['AX', 'AP', 'AN', 'IX', 'IP', 'IN', 'DX', 'DP', 'DN', 'TX', 'TP', 'TN'] as const
const flags = fc.constantFrom<Flags>(...allFlags)

/** What Kamailio 6.1 shows after a set_state: every state bit is cleared, the no-ping bit too. */
function shown(write: StateWrite): Flags {
  const letters = { a: 'A', i: 'I', d: 'D', t: 'T' } as const
  const [state] = write.state
  const letter = state === 'a' || state === 'i' || state === 't' ? letters[state] : letters.d
  return `${letter}${write.state.endsWith('p') ? 'P' : 'X'}`
}

/** set_state changes the first match in the set only; set_duid_state the one with the duid. */
function applied(list: readonly ListedDestination[], writes: readonly StateWrite[]): ListedDestination[] {
  const after = [...list]
  for (const write of writes) {
    const index = after.findIndex(
      (entry) =>
        entry.set === write.set &&
        (write.duid === undefined
          ? entry.uri.toLowerCase() === write.uri.toLowerCase()
          : entry.duid === write.duid),
    )
    const entry = present(after[index], `entry ${write.uri} in set ${write.set}`)
    after[index] = { ...entry, flags: shown(write) }
  }
  return after
}

/** What is written to have the scope's open entries disabled, and which of them can't be written apart. */
function disabled(list: readonly ListedDestination[]) {
  const open = entriesOf(scope, list).filter((entry) => !isDisabled(entry))
  const addressOf = addressing(list)
  const writes = open.flatMap((entry): StateWrite[] => {
    const address = addressOf(entry)
    return address ? [{ ...address, state: 'd' }] : []
  })
  return { writes, refused: open.filter((entry) => !addressOf(entry)) }
}

/** A list with the drained URI in several groups, twice in some, with duids or without. */
const lists = fc.array(
  fc.record({
    set: fc.integer({ min: 0, max: 3 }),
    uri: fc.constantFrom(machine.uri, uri('sip:10.0.1.20'), uri('SIP:10.0.1.20:5060'), uri('sip:10.0.1.2')),
    flags,
    duid: fc.constantFrom('', 'a', 'b'),
  }),
  { maxLength: 8 },
)
const entriesFrom = (rows: readonly { set: number; uri: string; flags: Flags; duid: string }[]) =>
  rows.map(({ uri: text, duid, ...row }) => listed(text, { ...row, ...(duid && { duid }) }))

describe('disabling', () => {
  it('writes d to every set that lists the destination, verbatim as listed there, and to nothing else', () => {
    const list = [
      listed('sip:10.0.1.20', { set: 0 }),
      listed('sip:10.0.1.20:5060', { set: 7, flags: 'IP' }),
      listed('SIP:10.0.1.20;transport=udp', { set: 9, flags: 'TX' }),
      listed('sip:10.0.1.2', { set: 7 }),
    ]
    expect(disabled(list)).toEqual({
      writes: [
        { set: 0, uri: 'sip:10.0.1.20', state: 'd' },
        { set: 7, uri: 'sip:10.0.1.20:5060', state: 'd' },
        { set: 9, uri: 'SIP:10.0.1.20;transport=udp', state: 'd' },
      ],
      refused: [],
    })
  })

  it.each(allFlags)('an entry that shows %s is written only if it is not disabled already', (shows) => {
    const list = [listed(machine.uri, { flags: shows })]
    expect(disabled(list).writes).toHaveLength(shows.startsWith('D') ? 0 : 1)
  })

  it('duplicates in one set are told apart by their duids', () => {
    const list = [listed(machine.uri, { duid: 'a' }), listed(machine.uri, { duid: 'b' })]
    expect(disabled(list).writes).toEqual([
      { set: 1, uri: machine.uri, duid: 'a', state: 'd' },
      { set: 1, uri: machine.uri, duid: 'b', state: 'd' },
    ])
  })

  it('a duplicate without a duid of its own is refused: set_state reaches only the first', () => {
    const twins = [listed(machine.uri), listed(machine.uri)]
    expect(disabled(twins)).toEqual({ writes: [], refused: twins })
    const same = [listed(machine.uri, { duid: 'a' }), listed(machine.uri, { duid: 'a' })]
    expect(disabled(same).refused).toEqual(same)
    const strangersDuid = [...twins, listed('sip:10.0.1.99', { duid: 'a' })].with(
      0,
      same[0] ?? listed(machine.uri),
    )
    expect(disabled(strangersDuid)).toMatchObject({ writes: [], refused: { length: 2 } })
  })

  it('a duplicate that only differs in case is one: Kamailio compares without case', () => {
    const list = [listed('sip:10.0.1.20:5060'), listed('SIP:10.0.1.20:5060')]
    expect(disabled(list).refused).toHaveLength(2)
  })

  it('a second entry in another set is no duplicate', () => {
    const list = [listed(machine.uri), listed(machine.uri, { set: 2 })]
    expect(disabled(list)).toMatchObject({ writes: { length: 2 }, refused: [] })
  })

  it('what can be written apart is disabled on the edge, and nobody else is touched', () => {
    fc.assert(
      fc.property(lists, (rows) => {
        const list = entriesFrom(rows)
        const { writes, refused } = disabled(list)
        const after = applied(list, writes)
        const mine = entriesOf(scope, list)
        const stays = (entry: ListedDestination) =>
          !mine.includes(entry) || isDisabled(entry) || refused.includes(entry)
        expect(after).toEqual(list.map((entry) => (stays(entry) ? entry : { ...entry, flags: 'DX' })))
        expect(disabled(after).writes).toEqual([])
      }),
    )
  })
})

describe('giving back', () => {
  it.each([
    ['AX', 'a'],
    ['AP', 'ap'],
    ['AN', 'a'],
    ['IX', 'i'],
    ['IP', 'ip'],
    ['IN', 'i'],
    ['TX', 't'],
    ['TP', 'tp'],
    ['DX', 'd'],
    ['DP', 'dp'],
  ] as const)('former %s comes back as %s', (former, state) => {
    expect(restoredState(former)).toBe(state)
  })
})
