import { describe, expect, it } from 'vitest'
import type { ListedDestination } from '../../functions/control/destination.ts'
import { activateOn, callsThere, drainOn, type EdgeView } from '../../functions/control/edge-plan.ts'
import { holdKey } from '../../functions/control/hold.ts'
import type { Counted } from '../../functions/control/reading.ts'
import { hold, listed, machine } from './samples.ts'
import { guard, recorded, set, shows, state, unset } from './settle-samples.ts'

const { uri } = machine
const own = hold()
const others = hold({ id: 'other' })

function seen(list: readonly ListedDestination[], changes: Partial<EdgeView> = {}): EdgeView {
  return {
    ...{ list, opaque: [], records: [], boot: 'monday', guarded: [] },
    ...{ generation: 0, unanswered: false, askedAt: 100_000, answeredAt: 100_100 },
    ...changes,
  }
}

describe('a drain', () => {
  it('is foreseen without what the edge has to be written for others', () => {
    const neighbour = listed('sip:10.0.1.21:5060')
    const theirs = hold({ id: 'theirs', uris: [neighbour.uri], addresses: [] })
    expect(drainOn(seen([shows('AP'), neighbour]), [theirs], [own])).toMatchObject({
      writes: [state('d')],
      guards: [set],
    })
  })

  it('is foreseen without guards where the edge has none', () => {
    const { guarded: _, ...unguarded } = seen([shows('AP')])
    expect(drainOn(unguarded, [], [own])).toMatchObject({ writes: [state('d')], guards: [] })
  })

  it('gives back what is on record, though the list shows D', () => {
    const view = seen([shows('DX')], { records: [guard, recorded('IP')], guarded: [uri] })
    expect(drainOn(view, [others], [own])).toMatchObject({
      ...{ writes: [], guards: [], givesBack: [{ set: 1, uri, shows: 'IP' }] },
      already: [{ flags: 'DX', heldBy: ['operator/other'] }],
    })
  })

  it('gives nothing back of a D that came with another life of the entry: it is the list’s own', () => {
    const view = seen([shows('DX', 'y')], { records: [guard, recorded('AP')], guarded: [uri] })
    const { givesBack } = drainOn(view, [others], [own])
    expect(givesBack).toEqual([{ set: 1, uri, stays: 'it was disabled before us' }])
  })

  it('names what can not be written apart, and that it stays', () => {
    const { writes, refused, givesBack } = drainOn(seen([shows('AP'), shows('AX')]), [], [own])
    expect({ writes, refused }).toEqual({ writes: [], refused: [shows('AP'), shows('AX')] })
    expect(givesBack).toMatchObject([{ stays: expect.stringMatching(/apart/) }, {}])
  })
})

describe('an activate', () => {
  const view = seen([shows('DX')], { records: [guard, recorded('AP')], guarded: [uri] })

  it('of the last hold gives back the record, and then the guard', () => {
    expect(activateOn(view, [own], [own], [own])).toEqual({
      ...{ writes: [state('ap')], guards: [unset], refused: [] },
      givesBack: [{ set: 1, uri, shows: 'AP' }],
    })
  })

  it('gives nothing back while another hold is there, and names it', () => {
    expect(activateOn(view, [own, others], [own], [own])).toEqual({
      ...{ writes: [], guards: [], refused: [] },
      givesBack: [{ set: 1, uri, stays: 'held by operator/other' }],
    })
  })

  it('leaves open what somebody has opened', () => {
    const open = seen([shows('AX')], { records: [guard, recorded('AP')], guarded: [uri] })
    expect(activateOn(open, [own], [own], [own])).toMatchObject({ writes: [], givesBack: [{ shows: 'AX' }] })
  })
})

describe('the calls at stake', () => {
  const reading = (counted: Counted['count']) => ({
    load: { calls: 9 },
    holds: {
      'operator/other': { flags: 'disabled', counted: { count: counted, at: 0, readBy: 0 } },
    } as const,
  })
  const profile = { calls: 3, source: 'profile', outbound: true } as const

  it('are those of a hold of the same server', () => {
    expect(callsThere(reading(profile), [others], [own])).toEqual({ counted: 3 })
  })

  it('are its own where a dry run had them counted, and as unknown as those of a hold', () => {
    const ofIts = (count: Counted['count']) => ({
      load: { calls: 9 },
      holds: {},
      atStake: { [holdKey(own)]: count },
    })
    expect(callsThere(ofIts(profile), [], [own])).toEqual({ counted: 3 })
    expect(callsThere(ofIts(profile), [], [own, others])).toMatchObject({ ofEdge: 9 })
    const load = { calls: 0, source: 'load', outbound: false } as const
    expect(callsThere(ofIts(load), [], [own])).toMatchObject({ notCounted: expect.any(String), ofEdge: 9 })
  })

  it('are not those of another destination of its machine', () => {
    const port = { ...others, uris: [listed('sip:10.0.1.20:5080').uri] }
    expect(callsThere(reading(profile), [port], [own])).toMatchObject({ ofEdge: 9 })
  })

  it('are unknown where DLGLOAD shows 0, or the edge could not tell', () => {
    const load = { calls: 0, source: 'load', outbound: false } as const
    for (const count of [load, { unknown: 'no source' }])
      expect(callsThere(reading(count), [others], [own])).toEqual({
        ...{ notCounted: expect.any(String), ofEdge: 9 },
      })
  })
})
