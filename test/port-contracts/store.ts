import { describe, expect, test } from 'vitest'
import { type Drain, drainId } from '../../functions/control/drain.ts'
import type { EdgeRelease } from '../../functions/control/edge-release.ts'
import type { KeptEvent } from '../../functions/ports/events.ts'
import type { PendingOutcome, Store } from '../../functions/ports/store.ts'
import { changesContract } from './store-changes.ts'
import { clearanceContract } from './store-clearance.ts'
import { edgesContract } from './store-edges.ts'
import { holdsContract } from './store-holds.ts'
import { readingsContract } from './store-readings.ts'
import { actionPhases, aDrain, aHold, aHoldDrain, holdPhases, uri } from './store-samples.ts'

function describePhase({ action, phase }: Drain): string {
  const fields = 'memory' in phase ? Object.keys(phase.memory).length : 0
  const completion = phase.name === 'completing' ? ` ${phase.completion} from ${phase.from.name}` : ''
  return `${action ? "an action's" : "a hold's"} drain, ${phase.name}${completion}, ${fields} fields of memory,`
}

/** What every store must do. `open` gives one that may be shared: ids are the tests' own, so is its day. */
export function storeContract(open: () => Store, today: () => string): void {
  let last = 0
  const fresh = (name: string) => {
    last += 1
    return `${name}-${last}`
  }

  holdsContract(open, fresh)
  edgesContract(open, fresh)
  readingsContract(open, fresh)
  clearanceContract(open, fresh)
  changesContract(open, fresh)

  describe('drain records', () => {
    const known = [
      ...actionPhases.map((phase) => (name: string) => aDrain(name, { phase })),
      ...holdPhases.map((phase) => (name: string) => aHoldDrain(name, { phase })),
    ].map((make) => ({ of: describePhase(make('')), make }))

    test.each(known)('$of comes back as it was written', async ({ make }) => {
      const store = open()
      const drain = make(fresh('drain'))
      expect(await store.putDrain(drain)).toBe('written')
      expect(await store.drain(drainId(drain))).toEqual(drain)
    })
    test('a drain without the optional fields comes back, and of nobody none', async () => {
      const store = open()
      const { callsEnded: _callsEnded, lastHeartbeatAt: _lastHeartbeatAt, ...most } = aDrain(fresh('drain'))
      const { group: _group, formerUris: _formerUris, sender: _sender, ...hold } = most.hold
      const bare = { ...most, hold, events: [] }
      await store.putDrain(bare)
      expect(await store.drain(drainId(bare))).toEqual(bare)
      const byUri = aHoldDrain(fresh('drain'))
      const subject = { kind: 'uri', uri: uri('sip:10.0.1.20:5060') } as const
      await store.putDrain({ ...byUri, hold: { ...byUri.hold, subject } })
      expect((await store.drain(drainId(byUri)))?.hold.subject).toEqual(subject)
      expect(await store.drain(fresh('nobody'))).toBe(undefined)
    })
    test('only one of many claims wins', async () => {
      const store = open()
      const name = fresh('drain')
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, steps) => store.putDrain(aDrain(name, { steps }))),
      )
      expect(claims.filter((claim) => claim === 'written')).toHaveLength(1)
      expect((await store.drain(drainId(aDrain(name))))?.steps).toBe(claims.indexOf('written'))
    })
    test('a write that did not read the version before it changes nothing', async () => {
      const store = open()
      const name = fresh('drain')
      const id = drainId(aDrain(name))
      expect(await store.putDrain(aDrain(name, { version: 2 }))).toBe('conflict')
      expect(await store.drain(id)).toBe(undefined)
      await store.putDrain(aDrain(name))
      expect(await store.putDrain(aDrain(name, { version: 2, steps: 4 }))).toBe('written')
      expect(await store.putDrain(aDrain(name, { version: 2, steps: 5 }))).toBe('conflict')
      expect(await store.putDrain(aDrain(name, { version: 4, steps: 6 }))).toBe('conflict')
      expect((await store.drain(id))?.steps).toBe(4)
    })
  })

  test('a drain by choice begins only while its hold is in force, as it was placed', async () => {
    const store = open()
    const drain = aHoldDrain(fresh('drain'), { phase: { name: 'claimed' } })
    const { source, id, order } = drain.hold
    expect(await store.beginDrain(drain)).toBe('conflict')
    await store.putHold(aHold(id, { source, order: '0' }))
    expect(await store.beginDrain(drain)).toBe('conflict')
    await store.putHold(aHold(id, { source, order }))
    expect(await store.beginDrain({ ...drain, version: 2 })).toBe('conflict')
    expect(await store.drain(drainId(drain))).toBe(undefined)
    expect(await store.beginDrain(drain)).toBe('written')
    expect(await store.drain(drainId(drain))).toEqual(drain)
    await store.putHold(aHold(id, { source, order, lifted: { at: 1, by: 'bob' } }))
    const again = { ...drain, attempt: 2, version: 2 }
    expect(await store.beginDrain(again)).toBe('conflict')
    expect(await store.putDrain(again)).toBe('written')
  })

  test('a request older than the newest seen is told what that said, an equal one is not', async () => {
    const store = open()
    const of = { source: 'alarm', id: fresh('alarm') } as const
    expect(await store.seenRequest(of)).toBe(undefined)
    expect(await store.seeRequest(of, '2', 'hold')).toBe('newest')
    expect(await store.seeRequest(of, '1', 'lift')).toBe('hold')
    expect(await store.seeRequest(of, '2', 'hold')).toBe('newest')
    expect(await store.seeRequest(of, '3', 'lift')).toBe('newest')
    expect(await store.seeRequest(of, '2', 'hold')).toBe('lift')
    expect(await store.seenRequest(of)).toEqual({ order: '3', intent: 'lift' })
    expect(await store.seeRequest({ source: 'alarm', id: fresh('alarm') }, '1', 'hold')).toBe('newest')
    expect(await store.seeRequest({ ...of, source: 'operator' }, '1', 'hold')).toBe('newest')
  })

  test("a command's outcome is kept, with what it asked for", async () => {
    const store = open()
    const id = fresh('command')
    expect(await store.commandOutcome(id)).toBe(undefined)
    const outcome = { result: 'applied', edges: { a: 'applied', b: { unlisted: true } }, holds: [] }
    expect(await store.commandAsked(id)).toBe(undefined)
    await store.putCommandOutcome(id, outcome, '[["command","drain"]]')
    expect(await store.commandOutcome(id)).toEqual(outcome)
    expect(await store.commandAsked(id)).toBe('[["command","drain"]]')
  })

  test('a refusal is kept, and replaced by what comes later, but never replaces a good outcome', async () => {
    const store = open()
    const id = fresh('command')
    const refusal = (order: string) => ({ refused: `sent at ${order}`, order })
    await store.putRefusal(id, refusal('2'))
    await store.putRefusal(id, refusal('1'))
    expect(await store.commandOutcome(id)).toEqual(refusal('2'))
    await store.putRefusal(id, refusal('3'))
    expect(await store.commandOutcome(id)).toEqual(refusal('3'))
    await store.putCommandOutcome(id, { result: 'started' }, '[]')
    await store.putRefusal(id, refusal('4'))
    expect(await store.commandOutcome(id)).toEqual({ result: 'started' })
  })

  test('a plan is kept once, and used by one message, which may come again', async () => {
    const store = open()
    const id = fresh('command')
    const by = { command: fresh('command'), order: '1' }
    expect(await store.commandPlan(id)).toBe(undefined)
    expect(await store.useCommandPlan(id, by)).toBe(false)
    const plan = { of: '[["command","drain"]]', sender: 'AIDA', at: 1 }
    await store.putCommandPlan(id, plan)
    expect(await store.commandPlan(id)).toEqual(plan)
    expect(await store.useCommandPlan(id, by)).toBe(true)
    await store.putCommandPlan(id, { ...plan, at: 2 })
    expect(await store.commandPlan(id)).toEqual({ ...plan, usedBy: by })
    expect(await store.useCommandPlan(id, by)).toBe(true)
    expect(await store.useCommandPlan(id, { ...by, order: '2' })).toBe(false)
    expect(await store.useCommandPlan(id, { ...by, command: fresh('command') })).toBe(false)
    expect(await store.commandPlan(id)).toEqual({ ...plan, usedBy: by })
  })

  test('commands that were answered are listed by their day, the newest first, page by page', async () => {
    const store = open()
    const day = today()
    const [first, second, third] = [fresh('command'), fresh('command'), fresh('command')]
    const good = { command: 'drain', requestedBy: 'alice', result: 'started', instance: 'i-1', because: 'x' }
    await store.putCommandOutcome(first, good, '[]')
    await store.putRefusal(second, { command: 'reload', edge: 'edge-z', refused: 'no such edge', order: '1' })
    await store.putRefusal(first, { refused: 'a good outcome is there', order: '9' })
    await store.putCommandOutcome(third, { ...good, set: 1, instance: undefined }, '[]')
    const page = await store.commands(day, { most: 2 })
    const rest = await store.commands(day, { most: 1, ...(page.next !== undefined && { before: page.next }) })
    const common = { at: expect.any(Number), because: 'x', who: 'alice', command: 'drain', result: 'started' }
    expect([...page.commands, ...rest.commands]).toEqual([
      { ...common, id: third, on: '1', key: 'set' },
      {
        ...{ id: second, at: expect.any(Number), command: 'reload', result: 'refused', who: 'unknown' },
        ...{ on: 'edge-z', key: 'edge', because: 'no such edge' },
      },
      { ...common, id: first, on: 'i-1', key: 'instance' },
    ])
    expect((await store.commands('2000-01-01', { most: 2 })).commands).toEqual([])
  })

  test('events that were refused come back oldest first, as many as are asked for, until they are dropped', async () => {
    const store = open()
    const kept = (at: number, id = fresh('event')): KeptEvent => ({
      id,
      at,
      event: { type: 'Drain Started', detail: { drainId: id, uris: ['sip:10.0.1.20:5060'], left: { a: 1 } } },
      reason: 'AccessDeniedException',
    })
    const events = [kept(1003), kept(1001), kept(1002)] as const
    for (const event of events) await store.keepEvent(event)
    expect(await store.keptEvents(2)).toEqual({ events: [events[1], events[2]], unread: [] })
    for (const event of events) await store.dropKeptEvent(event)
    expect(await store.keptEvents(10)).toEqual({ events: [], unread: [] })
  })

  describe('releases of edges', () => {
    const release = (edge: string, change: Partial<EdgeRelease> = {}): EdgeRelease => ({
      edge,
      who: 'alice',
      sender: { id: 'AIDA4711', name: 'alice' },
      why: 'its machine is lost',
      at: 1_795_000_000_000,
      order: '001795000000000#1',
      ...change,
    })
    const of = async (store: Store, edge: string) =>
      (await store.releases()).filter((found) => found.edge === edge)

    test('one in force comes back whole, an ended one no more', async () => {
      const store = open()
      const edge = fresh('edge')
      expect(await store.putRelease(release(edge))).toBe('written')
      expect(await of(store, edge)).toEqual([release(edge)])
      await store.putRelease(release(edge, { ended: { at: 1_795_000_000_001 } }))
      expect(await of(store, edge)).toEqual([])
    })
    test('an older word about the same edge changes nothing, whatever was said later; an equal one is written again', async () => {
      const store = open()
      const edge = fresh('edge')
      const ended = release(edge, { order: '2', ended: { at: 2 } })
      await store.putRelease(release(edge, { order: '2' }))
      expect(await store.putRelease(ended)).toBe('written')
      expect(await store.putRelease(release(edge, { order: '1' }))).toBe('stale')
      expect(await of(store, edge)).toEqual([])
      expect(await store.putRelease(release(edge, { order: '3' }))).toBe('written')
      expect(await store.putRelease(ended)).toBe('stale')
      expect(await of(store, edge)).toEqual([release(edge, { order: '3' })])
    })
  })

  test('pending answers come and go', async () => {
    const store = open()
    const pending = (since: number, id = fresh('answer')): PendingOutcome => ({
      id,
      command: 'change-4711',
      since,
      hold: aHold(id),
      edges: ['a', 'b'],
      at: 1_795_000_000_000,
    })
    const answers = [pending(7), pending(8)] as const
    for (const answer of answers) await store.putPendingOutcome(answer)
    expect(await store.pendingOutcomes()).toEqual({
      outcomes: expect.arrayContaining([...answers]),
      unread: [],
    })
    const fewer = { ...answers[0], edges: ['b'] }
    await store.putPendingOutcome(fewer)
    expect((await store.pendingOutcomes()).outcomes).toHaveLength(2)
    await store.dropPendingOutcome(answers[1].id)
    await store.dropPendingOutcome(fresh('nobody'))
    expect((await store.pendingOutcomes()).outcomes).toEqual([fewer])
    await store.dropPendingOutcome(fewer.id)
    expect((await store.pendingOutcomes()).outcomes).toEqual([])
  })
}
