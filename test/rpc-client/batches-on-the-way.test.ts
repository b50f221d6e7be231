import { describe, expect, test } from 'vitest'
import type { EdgeFault } from '../../functions/control/errors.ts'
import {
  answer,
  answersTo,
  faults,
  type Instead,
  knownRpcOf,
  rpcOf,
  scriptedEdge,
  sizesTo,
} from './scripted-edge.ts'

const boot = '1795724058-4711'
const replying =
  (value: unknown, status: string): Instead =>
  (socket) =>
    answer(socket, value, boot, status)
/** Not from the edge: it has no boot id. */
const gateway =
  (message: string, status: string): Instead =>
  (socket) =>
    answer(socket, { message }, undefined, status)

const all = (fault: EdgeFault) => Array<EdgeFault>(3).fill(fault)

describe('on the way to it', () => {
  test('a secret that is refused is asked for afresh, and all are sent once more', async () => {
    const edge = await scriptedEdge()
    const key = { secret: async () => 'the-old-secret', refreshSecret: async () => 'the-new-secret' }
    const rpc = await knownRpcOf(edge, { key })
    edge.instead.push(replying('', '401 Unauthorized'))
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3, 3])
    expect(edge.server.requests.at(-1)?.head).toMatch(/^x-rpc-key: the-new-secret$/im)
  })

  test.each(['401 Unauthorized', '403 Forbidden'])('%s is unauthorized for each', async (status) => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push(replying('', status))
    expect(faults(await rpc.batch(sizesTo(3)))).toEqual(all('unauthorized'))
    expect(edge.sizes()).toEqual([3])
  })

  test('a gateway that throttles is waited for, and is throttled for each where nobody waits', async () => {
    const edge = await scriptedEdge()
    const waited: number[] = []
    const rpc = await knownRpcOf(edge, { backOff: async (attempt) => void waited.push(attempt) })
    edge.instead.push(gateway('Too Many Requests', '429 x'), gateway('Too Many Requests', '429 x'))
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(waited).toEqual([1, 2])
    expect(edge.sizes()).toEqual([3, 3, 3])
    const impatient = await knownRpcOf(edge)
    edge.instead.push(gateway('Too Many Requests', '429 x'))
    expect(faults(await impatient.batch(sizesTo(3)))).toEqual(all('throttled'))
    expect(edge.sizes()).toEqual([3])
  })

  test.each<[string, string, EdgeFault]>([
    ['504 Gateway Timeout', 'Endpoint request timed out', 'unreachable'],
    ['503 Service Unavailable', 'Service Unavailable', 'unreachable'],
    ['500 Internal Server Error', 'Internal Server Error', 'unreachable'],
    ['403 Forbidden', 'Forbidden', 'access-denied'],
    ['404 Not Found', 'Not Found', 'no-route'],
  ])(
    'a gateway that answers %s shows nothing of the edge, which gets batches again',
    async (status, message, fault) => {
      for (const rpcFrom of [
        knownRpcOf,
        async (edge: Awaited<ReturnType<typeof scriptedEdge>>) => rpcOf(edge),
      ]) {
        const edge = await scriptedEdge()
        const rpc = await rpcFrom(edge)
        edge.instead.push(gateway(message, status))
        expect(faults(await rpc.batch(sizesTo(3)))).toEqual(all(fault))
        expect(edge.server.requests.length).toBeLessThanOrEqual(2)
        edge.sizes()
        expect(await rpc.batch(sizesTo(30))).toEqual(answersTo(30))
        expect(edge.sizes().length).toBeLessThanOrEqual(2)
      }
    },
  )
})
