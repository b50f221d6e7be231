import { expect, test } from 'vitest'
import * as z from 'zod'
import type { RpcCall } from '../../functions/kamailio/json-rpc.ts'
import { some } from '../present.ts'
import {
  answer,
  answersTo,
  type Instead,
  knownRpcOf,
  numbered,
  scriptedEdge,
  sizesTo,
} from './scripted-edge.ts'

const counter = (key: string): RpcCall<unknown> => ({
  method: 'htable.get',
  params: ['begun', key],
  result: z.unknown(),
})

/** Of the HTTP requests that come at once the last is executed first. */
function lastFirst(boot: string | undefined): Instead {
  const held: (() => void)[] = []
  return (socket, envelopes) => {
    held.push(() => answer(socket, envelopes(), boot))
    if (held.length > 1) return
    setTimeout(() => {
      for (const go of held.splice(0).reverse()) go()
    }, 20)
  }
}

test.each([40, 100, 150, 333])(
  'a count is read between two counters, however many there are (%i)',
  async (count) => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    const late = lastFirst(edge.boot)
    edge.instead.push(...Array.from({ length: 20 }, () => late))
    const numbers = Array.from({ length: count }, (_, n) => n)
    const before = numbers.map((n) => counter(numbered(n)))
    const after = numbers.map((n) => counter(`reaped:${numbered(n)}`))
    await rpc.batch([...before, ...sizesTo(count), ...after])
    expect(edge.executed).toHaveLength(3 * count)
    const at = new Map(edge.executed.map((text, index) => [text, index] as const))
    for (const n of some(numbers)) {
      const [first = 0, second = 0, third = 0] = [
        `htable.get begun ${numbered(n)}`,
        `dlg.profile_get_size dst ${numbered(n)}`,
        `htable.get begun reaped:${numbered(n)}`,
      ].map((text) => at.get(text))
      expect([n, first < second, second < third]).toEqual([n, true, true])
    }
    expect(edge.sizes()).toHaveLength(Math.ceil((3 * count) / 100))
  },
)

test('what asks for one thing goes in four batches at once', async () => {
  const edge = await scriptedEdge()
  const rpc = await knownRpcOf(edge)
  const held: (() => void)[] = []
  const together: Instead = (socket, envelopes) => {
    held.push(() => answer(socket, envelopes(), edge.boot))
    if (held.length === 4) for (const go of held) go()
  }
  edge.instead.push(together, together, together, together)
  expect(await rpc.batch(sizesTo(400))).toEqual(answersTo(400))
})
