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
