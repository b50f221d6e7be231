import { expect, test } from 'vitest'
import { kdcWorld } from './kdc-world.ts'

const narrow = { screen: { columns: 80 } }

test('a list of nothing says so, and a program gets an empty one', async () => {
  const { kdc } = kdcWorld({ edges: [] })
  for (const [kind, words] of [
    ['drains', 'no drain is under way'],
    ['holds', 'nothing is held'],
    ['edges', 'no edge is known'],
    ['destinations', 'no destination is listed'],
  ]) {
    expect(await kdc(`get ${kind}`, narrow)).toEqual({ code: 0, out: `${words}\n`, err: '' })
    expect((await kdc(`get ${kind} -o json`)).out).toBe('[]\n')
    expect((await kdc(`get ${kind} -o jsonl`)).out).toBe('')
  }
})

test('destinations are in the order of their numbers, not of their digits', async () => {
  const uris = ['sip:10.0.1.100:5060', 'sip:10.0.1.9:5060', 'sip:10.0.1.20:5060']
  const file = uris.map((uri) => ({ set: 1, uri, flags: 'AP' }) as const)
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const { out } = await kdc('get destinations')
  expect(out.match(/sip:\S+/g)).toEqual(['sip:10.0.1.9:5060', 'sip:10.0.1.20:5060', 'sip:10.0.1.100:5060'])
})
