import { expect, test } from 'vitest'
import { destinationUri } from '../../functions/control/destination.ts'
import { EdgeError } from '../../functions/control/errors.ts'
import type { CallCount } from '../../functions/control/reading.ts'
import type { CallsOf, Edge } from '../../functions/ports/edge.ts'
import type { EdgePlaces, EdgeRequest, EdgeWorld } from './edge.ts'

async function countOf(edge: Edge, of: CallsOf): Promise<CallCount> {
  const [count] = await edge.count([of])
  if (count === undefined || count instanceof EdgeError) throw count ?? new Error('nothing was answered')
  return count
}

/** The part of the contract of the port `Edge` that is about calls: counted, ended, forgotten or not. */
export function callsContract(
  open: (request?: Partial<EdgeRequest>) => Promise<EdgeWorld>,
  places: () => EdgePlaces,
): void {
  test('calls to a destination and from its address are counted, over a reload, until they end', async () => {
    const { first, second, secondAddress } = places()
    const world = await open()
    const { edge } = world
    const inbound = await world.callSet(6)
    const outbound = await world.callFromSecond(2)
    const profile = (calls: number) => ({ calls, source: 'profile', outbound: true, begun: calls })
    const ofSecond = { uris: [second], addresses: [secondAddress, 'second.example'] }
    await world.until(async () => (await countOf(edge, ofSecond)).calls === 5)
    expect(await countOf(edge, { uris: [first, second], addresses: [secondAddress] })).toEqual(profile(8))
    const inAll = { callsTo: 6, callsFrom: 2, begun: 8, begunTo: 6 }
    expect(await edge.facts()).toMatchObject(inAll)
    await edge.reload()
    expect(await edge.facts()).toMatchObject(inAll)
    expect(await countOf(edge, ofSecond)).toEqual(profile(5))
    const misspelled = destinationUri(`${second};transport=udp`) ?? second
    expect(await countOf(edge, { uris: [misspelled], addresses: [secondAddress] })).toEqual(profile(2))
    await outbound.hangUp()
    await world.until(async () => (await countOf(edge, ofSecond)).calls === 3)
    await inbound.hangUp()
    await world.until(async () => (await countOf(edge, ofSecond)).calls === 0)
  })

  test('outbound calls are said to be uncounted where no address can be asked for', async () => {
    const { edge } = await open()
    const count = await countOf(edge, { uris: [places().first], addresses: ['second.example'] })
    expect(count).toEqual({ calls: 0, source: 'profile', outbound: false, begun: 0 })
  })

  test('over a restart calls are still counted where dialogs are restored, and forgotten where not', async () => {
    for (const restoresDialogs of [true, false]) {
      const world = await open({ restoresDialogs })
      const calls = await world.callSet(4)
      const all = { uris: [places().first, places().second], addresses: [] }
      await world.until(async () => (await countOf(world.edge, all)).calls === 4)
      await world.restart()
      expect((await countOf(world.edge, all)).calls).toBe(restoresDialogs ? 4 : 0)
      await calls.hangUp()
    }
  })

  test('an edge that keeps no profile and tracks no call is never believed to be empty', async () => {
    const world = await open({ profiles: false })
    const calls = await world.callSet(2)
    const all = { uris: [places().first, places().second], addresses: [places().secondAddress] }
    expect(await world.edge.count([all])).toMatchObject([{ fault: 'unsupported' }])
    expect(await world.edge.facts()).not.toHaveProperty('callsTo')
    expect(await world.edge.facts()).not.toHaveProperty('callsFrom')
    await calls.hangUp()
  })

  test('calls to a destination and from its address are ended in steps, no other call is, and the count shows it', async () => {
    const { first, second, secondAddress } = places()
    const { edge, callSet, callFromSecond, until } = await open()
    await callSet(6)
    await callFromSecond(2)
    const ofSecond = { uris: [second], addresses: [secondAddress, 'second.example'] }
    await until(async () => (await countOf(edge, ofSecond)).calls === 5)
    expect(await edge.endCalls(ofSecond, 2)).toBe(2)
    await until(async () => (await countOf(edge, ofSecond)).calls === 3)
    expect(await edge.endCalls(ofSecond, 50)).toBe(3)
    await until(async () => (await countOf(edge, ofSecond)).calls === 0)
    expect(await edge.endCalls(ofSecond, 50)).toBe(0)
    expect((await countOf(edge, { uris: [first], addresses: [] })).calls).toBe(3)
  })

  test('an edge whose own policy does not let calls be ended says so, and ends none', async () => {
    const { edge, callSet, until } = await open({ endsCalls: false })
    await callSet(2)
    const all = { uris: [places().first, places().second], addresses: [] }
    await until(async () => (await countOf(edge, all)).calls === 2)
    await expect(edge.endCalls(all, 2)).rejects.toMatchObject({ fault: 'unsupported' })
    expect((await countOf(edge, all)).calls).toBe(2)
  })

  test('an edge that keeps no profile can end no call', async () => {
    const { edge } = await open({ profiles: false })
    const ended = edge.endCalls({ uris: [places().first], addresses: [places().secondAddress] }, 2)
    await expect(ended).rejects.toMatchObject({ fault: 'unsupported' })
  })

  test('the calls that ever began are counted, and no end of a call lowers that', async () => {
    const { first, second, secondAddress } = places()
    const world = await open()
    const { edge } = world
    const calls = await world.callSet(2)
    const placed = await world.callFromSecond(1)
    const all = [{ uris: [first, second], addresses: [secondAddress] }]
    await world.until(async () => isCounted(await edge.count(all), { calls: 3, begun: 3 }))
    await calls.hangUp()
    await placed.hangUp()
    await world.until(async () => isCounted(await edge.count(all), { calls: 0, begun: 3 }))
    expect(await edge.facts()).toMatchObject({ begun: 3, begunTo: 2, callsTo: 0, callsFrom: 0 })
    await world.restart()
    expect(await edge.count(all)).toMatchObject([{ calls: 0, begun: 0 }])
  })

  test('what calls ever began to is named, verbatim and listed or not, and nothing else is', async () => {
    const { first, second } = places()
    const world = await open()
    const { edge } = world
    expect(await edge.begunUris()).toEqual([])
    const calls = await world.callSet(2)
    const placed = await world.callFromSecond(1)
    const begunOnes = async () => new Set(await edge.begunUris())
    await world.until(async () => (await begunOnes()).size === 2)
    await calls.hangUp()
    await placed.hangUp()
    await edge.reload()
    expect(await begunOnes()).toEqual(new Set([first, second]))
    await world.restart()
    expect(await edge.begunUris()).toEqual([])
  })

  test('an edge without counters names nothing that calls began to', async () => {
    const { edge } = await open({ profiles: false })
    expect(await edge.begunUris()).toBe(undefined)
  })
}

function isCounted(counts: readonly unknown[], wanted: { calls: number; begun: number }): boolean {
  const [count] = counts
  const { calls, begun } = wanted
  return typeof count === 'object' && count !== null && 'calls' in count && 'begun' in count
    ? count.calls === calls && count.begun === begun
    : false
}
