import { expect, test } from 'vitest'
import { alike, type Change, type Shown } from '../../functions/control/change.ts'
import { filedForm, mostBytes } from '../../functions/control/filed-change.ts'
import { aHold, uri } from '../port-contracts/store-samples.ts'
import { some } from '../present.ts'

const lifted = { at: 1_795_000_000_000, by: 'b'.repeat(5000), why: '🔥'.repeat(1000) }
const change = (shown: readonly Shown[], hold = aHold('a', { lifted })): Change => ({
  ...{ id: '001795000000000#lifted#a', kind: 'lifted', hold, shown },
})
const bytes = (form: object) => Buffer.byteLength(JSON.stringify(form))

/** Each edge shows something else, in words of the longest. */
const edges = (count: number, entries: number): Shown[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ edges: [`edge-${n}`], outcome: 'refused', detail: `${n} ${'é'.repeat(1000)}`, guarded: true },
    entries: Array.from({ length: entries }, (_, entry) => ({
      ...{ set: n, uri: uri(`sip:a-server-with-a-name-${entry}.example.com:5060;transport=tcp`) },
      ...{ before: 'AP', after: 'DX' },
    })),
  }))

test('a row of 50 edges with 20 entries each stays small, and counts what is left out', () => {
  const form = filedForm(change(edges(50, 20)), [])
  expect(bytes(form)).toBeLessThanOrEqual(mostBytes)
  const named = form.shown.flatMap((shown) => shown.edges).length
  expect(named + (form.leftOut?.['edges'] ?? 0)).toBe(50)
  for (const { entries, more = 0 } of some(form.shown)) expect(entries.length + more).toBe(20)
})

test('edges that showed the same are named together, and nothing of them is left out', () => {
  const results = edges(1, 20).flatMap(({ edges: _, ...same }) =>
    Array.from({ length: 50 }, (_, n) => ({ edge: `edge-${n}`, ...same })),
  )
  const form = filedForm(change(alike([], results)), [])
  expect(form.shown).toHaveLength(1)
  expect(form.shown[0]?.edges).toHaveLength(50)
  expect(form.shown[0]?.entries).toHaveLength(20)
  expect(form.leftOut).toBe(undefined)
})

test('what an edge showed first counts', () => {
  const [first, second] = [edges(1, 1), edges(1, 2)]
  const again = second.map(({ edges: [edge = ''], ...shown }) => ({ edge, ...shown }))
  expect(alike(first, again)).toEqual(first)
})

test('words and destinations have their bounds', () => {
  const uris = Array.from({ length: 30 }, (_, n) => uri(`sip:10.0.1.${n}:5060`))
  const form = filedForm(change([], aHold('a', { uris, lifted, why: 'w'.repeat(5000) })), [])
  expect([form.who, form.former?.why].map((text) => text?.length)).toEqual([1024, 1024])
  expect(form.why?.isWellFormed()).toBe(true)
  expect(form.destinations).toHaveLength(20)
  expect(form.leftOut).toEqual({ destinations: 11 })
})
