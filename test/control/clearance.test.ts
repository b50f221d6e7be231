import { describe, expect, test } from 'vitest'
import { type ClearanceView, clearance, decide } from '../../functions/control/clearance.ts'
import { type DestinationUri, destinationUri, type Flags } from '../../functions/control/destination.ts'
import type { ChosenHold } from '../../functions/control/drain.ts'
import { belowFloor, type Floor } from '../../functions/control/floors.ts'
import { present } from '../present.ts'

const now = 1_000_000
const uriOf = (n: number): DestinationUri => present(destinationUri(`sip:10.0.0.${n}:5060`), `uri ${n}`)
const holdOf = (n: number, changes: Partial<ChosenHold> = {}): ChosenHold => ({
  source: 'operator',
  id: `sip:10.0.0.${n}:5060/alice`,
  subject: { kind: 'uri', uri: uriOf(n) },
  uris: [uriOf(n)],
  addresses: [`10.0.0.${n}`],
  wholeInstance: false,
  who: 'alice',
  why: 'a test',
  placedAt: now,
  until: now + 1000,
  order: '1',
  ...changes,
})
const waiting = (n: number, changes: Partial<ChosenHold> = {}) => ({
  hold: holdOf(n, changes),
  since: now + n,
})
const list = (edge: string, ...flags: Flags[]) => ({
  edge,
  listed: flags.map((each, index) => ({ set: 1, uri: uriOf(index + 1), flags: each })),
})
const four = list('edge-a', 'AP', 'AP', 'AP', 'AP')
const view = (changes: Partial<ClearanceView> = {}): ClearanceView => ({
  ...{ lists: [four], holds: [], machines: [], calls: undefined, underWay: 0, freeze: undefined, now },
  ...changes,
})
const mostHolds = 200
const rules = (...floors: Floor[]) => ({ floors, atOnce: undefined, mostHolds })
const isClear = (n: number, given: ClearanceView, ...floors: Floor[]) =>
  clearance(waiting(n), given, rules(...floors)).clear

test('a window has its drain wait until it begins, also where it is forced, and no longer', () => {
  const at = (now: number) =>
    clearance({ ...waiting(1, { force: 'it burns' }), beginsAt: 2_000_000 }, view({ now }), rules())
  expect(at(1_999_999)).toEqual({ clear: false, because: 'its window begins at 1970-01-01 00:33:20 UTC' })
  expect(at(2_000_000)).toEqual({ clear: true })
})

describe('a floor', () => {
  test.each<[string, Floor, number]>([
    ['count', { count: 2 }, 2],
    ['percent', { percent: 50 }, 2],
    ['percent that is no whole number', { percent: 51 }, 1],
    ['count of its set', { set: 1, count: 3 }, 1],
    ['count of another set', { set: 2, count: 3 }, 4],
  ])('%s leaves what it says', (_what, floor, taken) => {
    let holds: readonly ChosenHold[] = []
    for (const n of [1, 2, 3, 4]) if (isClear(n, view({ holds }), floor)) holds = [...holds, holdOf(n)]
    expect(holds).toHaveLength(taken)
  })

  test('is kept on the edge with the fewest active servers', () => {
    const lists = [four, list('edge-b', 'AP', 'AP', 'IP', 'DP')]
    expect(isClear(1, view({ lists }), { count: 2 })).toBe(false)
    expect(clearance(waiting(1), view({ lists }), rules({ count: 2 }))).toMatchObject({
      because: 'set 1 on edge-b would keep 1 of its 2 active servers, and its floor is 2',
    })
  })

  test('does not stand in the way of a server that gets no calls anyhow', () => {
    const lists = [list('edge-a', 'AP', 'IP')]
    expect(isClear(2, view({ lists }), { count: 1 })).toBe(true)
    expect(isClear(1, view({ lists }), { count: 1 })).toBe(false)
  })

  test('keeps as many that would get calls where none is active: what fails is the network', () => {
    const lists = [list('edge-a', 'IP', 'IP', 'IP', 'DP')]
    expect(isClear(1, view({ lists, holds: [holdOf(2)] }), { count: 1 })).toBe(true)
    const two = view({ lists, holds: [holdOf(2), holdOf(3)] })
    expect(isClear(1, two, { count: 1 })).toBe(false)
    expect(clearance(waiting(1), two, rules({ count: 1 }))).toMatchObject({
      because: 'set 1 on edge-a would keep 0 of its 1 servers, and its floor is 1',
    })
    // One that others have disabled takes nothing.
    expect(isClear(4, two, { count: 1 })).toBe(true)
    expect(isClear(1, view({ lists, holds: [holdOf(2)] }), { percent: 50 })).toBe(false)
  })

  test('counts what is held already as taken, whatever the list shows yet', () => {
    expect(isClear(2, view({ holds: [holdOf(1)] }), { count: 3 })).toBe(false)
  })

  test('takes a percentage of what would be active without us, and not of what others have disabled', () => {
    const lists = [list('edge-a', 'DP', 'AP', 'AP', 'AP')]
    expect(isClear(2, view({ lists, holds: [holdOf(1)] }), { percent: 50 })).toBe(true)
    expect(isClear(2, view({ lists }), { percent: 75 })).toBe(false)
  })

  test('takes no percentage of servers that are gone: of ten in a static list, six have retired marks', () => {
    const lists = [list('edge-a', ...Array.from({ length: 10 }, (): Flags => 'AP'))]
    const retired = [5, 6, 7, 8, 9, 10].map((n) => ({ ...holdOf(n), source: 'retired' as const }))
    expect(isClear(1, view({ lists, holds: retired }), { percent: 50 })).toBe(true)
    expect(isClear(2, view({ lists, holds: [...retired, holdOf(1)] }), { percent: 75 })).toBe(false)
  })

  test('of a group counts its own machines alone, in whatever sets', () => {
    const machine = (n: number, group: string) => ({
      ...{ instanceId: `i-${n}`, launchedAt: 1, state: 'running' as const, taggedDestinations: [], group },
      addresses: [`10.0.0.${n}`],
    })
    const machines = [machine(1, 'a'), machine(2, 'a'), machine(3, 'b'), machine(4, 'b')]
    expect(isClear(1, view({ machines, holds: [holdOf(3)] }), { group: 'a', count: 1 })).toBe(true)
    expect(isClear(1, view({ machines, holds: [holdOf(2)] }), { group: 'a', count: 1 })).toBe(false)
  })

  test('of a group counts its machines also by what their tag names, and by nothing near it', () => {
    const machine = (n: number, tag: string) => ({
      ...{ instanceId: `i-${n}`, launchedAt: 1, state: 'running' as const, group: 'a' },
      ...{ addresses: [`172.16.0.${n}`], taggedDestinations: [tag] },
    })
    const machines = [machine(1, uriOf(1)), machine(2, '10.0.0.2'), machine(3, 'sip:10.0.0.3:5070')]
    expect(isClear(1, view({ machines }), { group: 'a', count: 1 })).toBe(true)
    expect(isClear(1, view({ machines, holds: [holdOf(2)] }), { group: 'a', count: 1 })).toBe(false)
  })

  test('of calls has what is left carry them all; unknown calls are too many', () => {
    const floor = { callsPerServer: 100 }
    expect(isClear(1, view({ calls: 300 }), floor)).toBe(true)
    expect(isClear(1, view({ calls: 301 }), floor)).toBe(false)
    expect(isClear(1, view(), floor)).toBe(false)
  })

  test('that is as high as what is listed can never be kept', () => {
    expect(clearance(waiting(1), view(), rules({ count: 4 }))).toMatchObject({ never: true })
    expect(clearance(waiting(1), view(), rules({ percent: 76 }))).toMatchObject({ never: true })
    expect(clearance(waiting(1), view({ holds: [holdOf(2)] }), rules({ count: 3 }))).not.toHaveProperty(
      'never',
    )
    const lists = [list('edge-a', 'AP', 'AP', 'AP', 'IP')]
    expect(clearance(waiting(1), view({ lists }), rules({ count: 3 }))).not.toHaveProperty('never')
  })

  test('of calls can never be kept by the only server that is listed, however few they are', () => {
    const lists = [list('edge-a', 'AP')]
    const floors = rules({ callsPerServer: 100 })
    expect(clearance(waiting(1), view({ lists, calls: 0 }), floors)).toMatchObject({ never: true })
    expect(clearance(waiting(1), view({ calls: 350 }), floors)).not.toHaveProperty('never')
  })

  test('that can never be kept is found whatever else has the drain wait', () => {
    const freeze = { who: 'bob', why: 'carrier', at: 1, order: '1' }
    const given = { floors: [{ count: 4 }], atOnce: 1, mostHolds }
    for (const changes of [{ freeze }, { underWay: 1 }])
      expect(clearance(waiting(1), view(changes), given)).toMatchObject({ never: true })
    const window = { ...waiting(1), beginsAt: now + 1 }
    expect(clearance(window, view(), given)).toMatchObject({ never: true })
    expect(
      clearance({ ...window, hold: holdOf(1, { force: 'it burns' }) }, view(), given),
    ).not.toHaveProperty('never')
  })

  test('is unknown while no edge was read lately', () => {
    expect(isClear(1, view({ lists: [] }), { count: 1 })).toBe(false)
    expect(isClear(1, view({ lists: [] }))).toBe(true)
  })
})

test('a renewed request takes nothing; one that names another server than before takes that', () => {
  const holds = [holdOf(1)]
  const { id } = holdOf(1)
  for (const lists of [[four], []]) {
    expect(isClear(1, view({ holds, lists }), { count: 4 })).toBe(true)
    expect(clearance(waiting(2, { id }), view({ holds, lists }), rules({ count: 3 })).clear).toBe(false)
  }
  expect(
    clearance(waiting(1), view({ holds, underWay: 1 }), { floors: [], atOnce: 1, mostHolds }).clear,
  ).toBe(true)
})

test('a freeze has every drain by choice wait until it ends, also one of what is held', () => {
  const freeze = { who: 'bob', why: 'carrier', at: 1, order: '1', until: now + 1 }
  const given = view({ freeze, holds: [holdOf(1)] })
  expect(clearance(waiting(1), given, rules())).toEqual({ clear: false, because: 'frozen by bob: carrier' })
  expect(isClear(1, { ...given, now: now + 1 })).toBe(true)
  expect(isClear(1, view({ freeze: { ...freeze, ended: { at: 2, by: 'bob' } } }))).toBe(true)
})

test('no more than the limit are under way', () => {
  const given = { floors: [], atOnce: 2, mostHolds }
  expect(clearance(waiting(1), view({ underWay: 1 }), given).clear).toBe(true)
  expect(clearance(waiting(1), view({ underWay: 2 }), given).clear).toBe(false)
})

test('a server that is held already, by whomever, takes nothing of the limit, nor of those that are decided on with it', () => {
  const given = { floors: [{ count: 1 }], atOnce: 1, mostHolds }
  const bobs = { id: 'bobs', who: 'bob' }
  const whole = {
    ...{
      source: 'lifecycle' as const,
      id: 'i-1/hook',
      wholeInstance: true,
      uris: [],
      addresses: ['10.0.0.1'],
    },
    subject: { kind: 'instance', instanceId: 'i-1', launchedAt: 1 },
  } as const
  const isClear = (asked: Partial<ChosenHold>, holds: ClearanceView['holds'], lists = [four]) =>
    clearance(waiting(1, { ...bobs, ...asked }), view({ holds, lists, underWay: 1 }), given).clear
  expect(isClear({}, [holdOf(1)])).toBe(true)
  expect(isClear({}, [holdOf(1)], [])).toBe(true)
  expect(isClear({}, [holdOf(2)])).toBe(false)
  expect(isClear({ subject: whole.subject }, [whole])).toBe(true)
  expect(isClear({ subject: { ...whole.subject, launchedAt: 2 } }, [whole])).toBe(false)
  const ofOne = { ...holdOf(1), subject: whole.subject }
  expect(isClear({ subject: whole.subject, uris: [uriOf(1), uriOf(2)] }, [ofOne])).toBe(false)
  const decided = decide([waiting(1), waiting(1, bobs), waiting(2)], view(), given)
  expect([...decided].map(([{ hold }, { clear }]) => [hold.id, clear])).toEqual([
    ['bobs', true],
    [holdOf(1).id, true],
    [holdOf(2).id, false],
  ])
})

test('who forces it, with a reason, is asked nothing', () => {
  const freeze = { who: 'bob', why: 'carrier', at: 1, order: '1' }
  const forced = waiting(1, { force: 'it burns' })
  expect(
    clearance(forced, view({ freeze, underWay: 9 }), { floors: [{ count: 4 }], atOnce: 1, mostHolds }).clear,
  ).toBe(true)
})

describe('a floor that is not kept is told', () => {
  const because = (floor: Floor, changes: Partial<ClearanceView> = {}) =>
    belowFloor(floor, view(changes)).map((each) => each.because)

  test('everywhere', () => {
    const lists = [list('edge-a', 'IP'), four, list('edge-b', 'IP')]
    expect(because({ count: 1 }, { lists })).toEqual([
      'set 1 on edge-a has 0 active servers, and its floor is 1',
      'set 1 on edge-b has 0 active servers, and its floor is 1',
    ])
    expect(because({ count: 1 })).toEqual([])
  })

  test('where no edge lists its set, be it by a typo', () => {
    expect(because({ set: 11, count: 2 })).toEqual(['no edge lists anything of set 11, and its floor is 2'])
    expect(because({ set: 11, count: 2 }, { lists: [] })).toEqual([])
    expect(because({ set: 11, percent: 50 })).toEqual([])
  })
})

test('all that wait are decided on in their order, and never take more than the floor leaves together', () => {
  const decided = decide(
    [3, 1, 4, 2].map((n) => waiting(n)),
    view(),
    rules({ count: 2 }),
  )
  const begun = [...decided].flatMap(([{ hold }, { clear }]) => (clear ? [hold.uris[0]] : []))
  expect(begun).toEqual([uriOf(1), uriOf(2)])
})

test('what waits beyond its own end is not decided on, and takes nothing of those that wait behind it', () => {
  const decided = decide([waiting(1, { endsAt: now }), waiting(2)], view(), { ...rules(), atOnce: 1 })
  expect([...decided].map(([{ hold }, { clear }]) => [hold.id, clear])).toEqual([[holdOf(2).id, true]])
})

test("an alarm's drain waits where the alarm has as many holds as a sender may, and one that it has is renewed", () => {
  const alarm = (n: number, arn = 'arn:one') =>
    ({ source: 'alarm', id: `cpu#series-${n}`, sender: { id: arn } }) as const
  const given = view({ holds: [holdOf(1, alarm(1)), holdOf(2, alarm(2)), holdOf(3)] })
  const limited = { ...rules(), mostHolds: 2 }
  expect(clearance(waiting(4, alarm(4)), given, limited)).toEqual({
    ...{
      clear: false,
      because: expect.stringMatching(/^its alarm has 2 holds in force, and the limit of a sender is 2 /),
    },
  })
  expect(clearance(waiting(2, alarm(2)), given, limited).clear).toBe(true)
  // Whoever holds a server already, that one takes nothing.
  expect(clearance(waiting(3, alarm(3)), given, limited).clear).toBe(true)
  expect(clearance(waiting(4, alarm(4, 'arn:another')), given, limited).clear).toBe(true)
  expect(clearance(waiting(4, alarm(4)), given, rules()).clear).toBe(true)
  const all = [4, 5, 6].map((n) => waiting(n, alarm(n, 'arn:another')))
  expect([...decide(all, given, limited).values()].map(({ clear }) => clear)).toEqual([true, true, false])
})
