import { expect, test } from 'vitest'
import { type DestinationUri, destinationUri } from '../../functions/control/destination.ts'
import { some } from '../present.ts'
import type { EdgePlaces, EdgeRequest, EdgeWorld } from './edge.ts'

/**
 * The part of the contract of the port `Edge` that depends on the edge's files: batches, the fence, the boot,
 * what a list may hold.
 */
export function filesContract(
  open: (request?: Partial<EdgeRequest>) => Promise<EdgeWorld>,
  places: () => EdgePlaces,
): void {
  test('what is asked for many is answered for each, in order, and one refusal harms no other', async () => {
    const { first, second } = places()
    const { edge } = await open()
    const strangers = Array.from({ length: 230 }, (_, n) => uriOf(`sip:127.98.${n >> 7}.${n & 127}:5060`))
    const writes = [first, ...strangers, second].map((uri) => ({ state: 'd' as const, set: 1, uri }))
    const outcomes = await edge.write(writes)
    expect(outcomes).toHaveLength(232)
    expect([outcomes[0], outcomes[231]]).toEqual(['done', 'done'])
    expect(some(outcomes.slice(1, -1)).every((outcome) => typeof outcome !== 'string')).toBe(true)
    expect(outcomes[100]).toMatchObject({ fault: 'refused' })
    const guards = await edge.write([...strangers, second].map((uri) => ({ uri, held: true })))
    expect(guards).toEqual(Array(231).fill('done'))
    expect(await edge.readGuards([first, ...strangers, second])).toEqual([false, ...Array(231).fill(true)])
    const counts = await edge.count(strangers.map((uri) => ({ uris: [uri], addresses: [] })))
    expect(counts).toEqual(Array(230).fill({ calls: 0, source: 'profile', outbound: false, begun: 0 }))
  })

  test('nothing asked is nothing answered', async () => {
    const { edge } = await open()
    expect([await edge.write([]), await edge.readGuards([]), await edge.count([])]).toEqual([[], [], []])
  })

  test('a request below the highest generation seen since the boot is refused, and so is a write without one', async () => {
    const { first } = places()
    const world = await open()
    const { edge } = world
    const hold = [{ uri: first, held: true }]
    expect(await edge.write(hold)).toEqual(['done'])
    expect(await edge.under(7).write(hold)).toEqual(['done'])
    const late = edge.under(6)
    expect(await late.write([{ uri: first, held: false }])).toMatchObject([{ fault: 'stale', seen: 7 }])
    expect(await late.readGuards([first])).toMatchObject([{ fault: 'stale', seen: 7 }])
    await expect(late.list()).rejects.toMatchObject({ fault: 'stale', seen: 7 })
    await expect(edge.reload()).rejects.toMatchObject({ fault: 'stale', seen: 7 })
    expect(await edge.write([{ state: 'd', set: 1, uri: first }])).toMatchObject([{ fault: 'stale' }])
    expect(await edge.readGuards([first])).toEqual([true])
    expect(await edge.under(8).write([{ uri: first, held: false }])).toEqual(['done'])
    expect((await edge.list()).destinations.map(({ flags }) => flags)).toEqual(['AX', 'AX', 'AX'])
    await world.restart()
    expect(await late.write(hold)).toEqual(['done'])
  })

  test('facts name the boot, which a reload keeps and a restart changes, and what the edge can do', async () => {
    const world = await open()
    const { edge } = world
    const facts = await edge.facts()
    expect(facts).toMatchObject({
      batch: true,
      fence: true,
      guard: true,
      counters: true,
      profiles: ['dst', 'src'],
      ...{ callsTo: 0, callsFrom: 0, begun: 0, begunTo: 0 },
      dialogs: 0,
      keepalives: false,
    })
    expect(facts.bootId).toMatch(/^\d+-\d+(-[\d.]+-\d+)?$/)
    expect(Math.abs(facts.clockDifferenceSeconds ?? 99)).toBeLessThanOrEqual(1)
    await edge.reload()
    expect((await edge.facts()).bootId).toBe(facts.bootId)
    await world.restart()
    expect((await edge.facts()).bootId).not.toBe(facts.bootId)
  })

  test('an edge that has none of our files is asked one by one, and says what it lacks', async () => {
    const { first, second } = places()
    const { edge } = await open({ plain: true })
    const uris = [first, second]
    expect(await edge.write(uris.map((uri) => ({ state: 'd' as const, set: 1, uri })))).toEqual([
      'done',
      'done',
    ])
    expect((await edge.list()).destinations.map(({ set, flags }) => `${set} ${flags}`).sort()).toEqual([
      '1 DX',
      '1 DX',
      '2 AX',
    ])
    expect(await edge.write(uris.map((uri) => ({ uri, held: true })))).toEqual(['no-guard', 'no-guard'])
    expect(await edge.readGuards(uris)).toEqual(['no-guard', 'no-guard'])
    const facts = await edge.facts()
    expect(facts).toMatchObject({ batch: false, fence: false, guard: false, counters: false, profiles: [] })
    expect(facts.bootId).toBe(undefined)
  })

  test('an entry that can not be read belongs to nobody, and every other entry of the list is found', async () => {
    const { first, second } = places()
    const odd = ['sip:127.0.62.1:0', 'tel:+12025550100']
    const file = [...odd, first].map((uri) => ({ set: 1, uri }))
    const { edge } = await open({ file: [...file, { set: 2, uri: second }] })
    const { destinations, opaque } = await edge.list()
    expect(destinations.map(({ uri }) => uri).sort()).toEqual([first, second].sort())
    // What Kamailio makes of such a line differs by release: listed as it is, or left out.
    for (const { text } of some(opaque)) expect(odd).toContain(text)
    expect(await edge.write([{ state: 'd', set: 1, uri: first }])).toEqual(['done'])
  })

  test('a destination that is listed by a name has the address that the edge resolved', async () => {
    const { first, secondAddress, secondName } = places()
    const { edge } = await open({
      file: [
        { set: 1, uri: first },
        { set: 1, uri: `sip:${secondName}:5060` },
      ],
    })
    for (const _ of ['at first', 'once it is known that there are names']) {
      const { destinations } = await edge.list()
      const addresses = destinations.map(
        ({ uri, address }) => `${uri === first ? 'first' : 'second'} ${address}`,
      )
      expect(addresses.sort()).toEqual(['first undefined', `second ${secondAddress}`])
    }
  })
}

function uriOf(text: string): DestinationUri {
  const uri = destinationUri(text)
  if (!uri) throw new Error(`${text} is no SIP URI`)
  return uri
}
