import { describe, expect, it } from 'vitest'
import type { ListedDestination } from '../../functions/control/destination.ts'
import {
  isYoung,
  mayHideUris,
  otherSpellings,
  remember,
  withBegun,
} from '../../functions/control/list-memory.ts'
import { lookup } from '../../functions/control/listing.ts'
import type { Listing } from '../../functions/control/reading.ts'
import { hold, listed, machine, uri } from './samples.ts'

const longest = 7_200
const longestMs = longest * 1_000
const [one, two] = [listed('sip:10.0.1.20'), listed('sip:10.0.1.21')]

/** What is remembered of one edge over lists that were read at these times. */
function lists(...reads: readonly (readonly [number, ...ListedDestination[]])[]): Listing {
  const last = reads.reduce<Listing | undefined>(
    (before, [at, ...destinations]) => remember(before, 'a', { destinations, opaque: [] }, at, longest),
    undefined,
  )
  if (!last) throw new Error('nothing was read')
  return last
}

describe('an edge’s list', () => {
  it('is what it lists now, known since it was first read', () => {
    expect(lists([5, one], [9, one, two])).toEqual({
      ...{ edge: 'a', since: 5 },
      listed: [one, two],
      former: [],
    })
  })

  it('what leaves it is remembered from now on', () => {
    expect(lists([5, one, two], [9, two]).former).toEqual([{ uri: one.uri, at: 9 }])
  })

  it('also after the edge was away for longer than a call: it may have been there until just now', () => {
    const away = 3 * longestMs
    expect(lists([0, one], [away]).former).toEqual([{ uri: one.uri, at: away }])
  })

  it('and no later list makes it younger', () => {
    expect(lists([0, one, two], [10, two], [20, two], [30, two]).former).toEqual([{ uri: one.uri, at: 10 }])
  })

  it('begins anew where it can not be read, and that is known for as long as a call lasts', () => {
    const shown = { destinations: [one], opaque: [] }
    const lost = remember({ unread: 'nonsense' }, 'a', shown, 9, longest)
    expect(lost).toEqual({ edge: 'a', since: 9, listed: [one], former: [], lostAt: 9 })
    expect(remember(lost, 'a', shown, 9 + longestMs, longest)).toEqual(lost)
    expect(remember(lost, 'a', shown, 10 + longestMs, longest)).not.toHaveProperty('lostAt')
  })

  it('it is forgotten when no call of its can be up any more', () => {
    const left = [[0, one], [10]] as const
    expect(lists(...left, [10 + longestMs]).former).toHaveLength(1)
    expect(lists(...left, [11 + longestMs]).former).toEqual([])
  })

  it('what can not be read is remembered as long, and by when it left', () => {
    const odd = { set: 1, text: 'sip:10.0.1.20:0' }
    const at = (now: number, opaque: readonly (typeof odd)[], before?: Listing) =>
      remember(before, 'a', { destinations: [one], opaque }, now, longest)
    const left = at(10, [], at(5, [odd]))
    expect(at(5, [odd]).opaque).toEqual([odd])
    expect(left.opaque).toEqual([{ ...odd, at: 10 }])
    expect(at(20, [odd], left).opaque).toEqual([odd])
    expect(at(10 + longestMs, [], left)).toEqual(left)
    expect(at(11 + longestMs, [], left)).not.toHaveProperty('opaque')
  })

  it('what comes back is listed, and remembered anew when it leaves again', () => {
    expect(lists([0, one], [10], [20, one]).former).toEqual([])
    expect(lists([0, one], [10], [20, one], [30]).former).toEqual([{ uri: one.uri, at: 30 }])
  })

  it('what left it is known by what its name was resolved to', () => {
    const named = { ...listed('sip:media.example'), address: '10.0.1.20' }
    expect(lists([0, named], [10]).former).toEqual([{ uri: named.uri, at: 10, address: '10.0.1.20' }])
  })

  it('what left it is known by its duid, also where its URI is listed on with another’s', () => {
    const own = { ...one, duid: 'i-1' }
    expect(lists([0, own], [10, { ...one, duid: 'i-2' }]).former).toEqual([
      { uri: one.uri, at: 10, duid: 'i-1' },
    ])
  })

  it('is young until it is known for longer than a call lasts', () => {
    expect(isYoung({ since: 5 }, 5 + longestMs, longest)).toBe(true)
    expect(isYoung({ since: 5 }, 6 + longestMs, longest)).toBe(false)
  })
})

describe('calls of a hold are counted under what is and was listed for it', () => {
  const whole = hold({ wholeInstance: true, uris: [machine.uri] })
  const known = (list: readonly ListedDestination[], former: readonly ListedDestination[] = []) =>
    lookup([...list, ...former])

  it('of a whole instance by its addresses, also those that a name was resolved to', () => {
    const named = { ...listed('sip:media.example'), address: machine.address }
    const memory = known([listed('sip:10.0.1.20:5070'), two], [named])
    expect(otherSpellings(whole, memory, false)).toEqual(['sip:10.0.1.20:5070', 'sip:media.example'])
  })

  it('of a bare URI by how else it is spelled, and by no other port', () => {
    const memory = known([listed('sip:10.0.1.20:5070')], [one])
    expect(otherSpellings(hold(), memory, false)).toEqual([one.uri])
  })

  it('under no URI twice, and not under the hold’s own again', () => {
    const memory = known([one, listed('sip:10.0.1.20:5060')], [one])
    expect(otherSpellings(whole, memory, true)).toEqual([one.uri])
  })

  it('and of a whole instance under its usual spellings, where they are asked for', () => {
    const bare = { ...whole, uris: [] }
    expect(otherSpellings(bare, known([]), false)).toEqual([])
    expect(otherSpellings(bare, known([]), true)).toEqual([uri('sip:10.0.1.20'), uri('sip:10.0.1.20:5060')])
    expect(otherSpellings({ ...bare, wholeInstance: false }, known([]), true)).toEqual([])
  })

  it('the names of its URIs among them: a list of a few seconds may have named one without its port', () => {
    const named = { ...whole, uris: [uri('sip:media.example:5060')], addresses: [] }
    expect(otherSpellings(named, known([]), false)).toEqual([])
    expect(otherSpellings(named, known([]), true)).toEqual([uri('sip:media.example')])
  })

  it('but not what is another’s: machines may share a name, each with a port of its own', () => {
    const named = { ...whole, uris: [uri('sip:media.example:5070')], addresses: [] }
    const others = listed('sip:media.example:5060')
    expect(otherSpellings(named, known([others]), true)).toEqual([])
    expect(otherSpellings(named, known([], [others]), true)).toEqual([])
  })
})

describe('a URI that came and went between two readings', () => {
  const loaded = (uri: string, iuid: string) => ({ ...listed(uri), iuid })
  const [a1, b1, a2] = [loaded(one.uri, 'a1'), loaded(two.uri, 'b1'), loaded(one.uri, 'a2')]

  it('can not be there while each entry is of the load that was read', () => {
    expect(lists([5, a1, b1], [9, b1, a1])).toMatchObject({ loadedAt: 5 })
    expect(lists([5, a1, b1], [9, a2, b1])).toMatchObject({ loadedAt: 9 })
    expect(lists([5, a1, b1], [9, a1])).toMatchObject({ loadedAt: 9 })
    expect(lists([5, one], [9, one])).not.toHaveProperty('loadedAt')
  })

  const known = { isNew: false, silent: false }
  it.each([
    ['of a hold that no reading has', { ...known, isNew: true, now: 90_000 }, 5, true],
    ['a minute after a load', { ...known, now: 60_000 }, 0, true],
    ['longer after it', { ...known, now: 60_001 }, 0, false],
    [
      'where a load does not show, when its drain could end',
      { ...known, silent: true, now: 90_000 },
      undefined,
      true,
    ],
    ['where a load does not show, before', { ...known, now: 90_000 }, undefined, false],
  ] as const)('is looked for: %s', (_, asked, loadedAt, expected) => {
    expect(
      mayHideUris(hold({ wholeInstance: true }), { ...(loadedAt !== undefined && { loadedAt }) }, asked),
    ).toBe(expected)
  })

  it('is remembered from then on, of the machines that are held and of no other', () => {
    const begun = ['sip:10.0.1.20:5080', 'sip:10.0.1.77:5080', one.uri].map(uri)
    const found = withBegun(lists([5, one]), begun, [hold({ wholeInstance: true })], 9)
    expect(found.former).toEqual([{ uri: 'sip:10.0.1.20:5080', at: 9 }])
  })
})
