import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Edge } from '../../lab/sip/edge.ts'
import { flagsOf, type Lab, openLab, until } from './lab.ts'
import { askEdge, batchOf, errorOf, requestLine } from './rpc-requests.ts'

const uri = 'sip:127.0.2.1:5060'
const read = requestLine('core.uptime')
const setState = (state: string) => requestLine('dispatcher.set_state', `["${state}",1,"${uri}"]`)
const hold = requestLine('htable.seti', `["held","${uri}",1]`)

describe.each(['6.1', '5.6'] as const)('the fence over what is executed, on Kamailio %s', (release) => {
  let lab: Lab
  let edge: Edge

  beforeAll(async () => {
    lab = await openLab(release)
    const others = Array.from({ length: 2000 }, (_, index) => ({
      set: 2,
      uri: `sip:127.78.${index >> 8}.${index & 255}:5060`,
    }))
    edge = await lab.edge({ destinations: [{ set: 1, uri }, ...others], pingSeconds: 0 })
  })
  afterAll(() => lab.close())
  // The fence lasts as long as the boot.
  beforeEach(() => edge.restart())

  const ask = (body: string, headers: Record<string, string> = {}) => askEdge(edge, { body, headers })
  const under = (generation: number) => ({ 'x-dc-generation': `${generation}` })

  test('a slow batch of a lower generation has written its last line before a higher one is answered', async () => {
    // Some 20 ms for each list; the write is the last line.
    const lists = Array.from({ length: 30 }, () => requestLine('dispatcher.list'))
    const id = `slow-${Date.now()}`
    const headers = { ...under(5), 'x-correlation-id': id }
    const slow = ask(batchOf([hold, ...lists, setState('a')]), headers)
    await until('the slow batch is being executed', () =>
      readFileSync(edge.logFile, 'utf8').includes(`rpc: write from 127.0.0.1 for ${id}: ${hold}`),
    )
    let slowIsAnswered = false
    void slow.then(() => {
      slowIsAnswered = true
    })
    expect((await ask(read)).status, 'a read without a generation does not wait').toBe(200)
    expect(slowIsAnswered).toBe(false)
    expect((await ask(setState('d'), under(6))).status).toBe(200)
    expect(await flagsOf(edge, uri)).toEqual([expect.stringMatching(/^D/)])
    expect(errorOf(await slow).message).toContain('Executed')
    expect(await flagsOf(edge, uri)).toEqual([expect.stringMatching(/^D/)])
    expect((await ask(setState('a'), under(5))).status).toBe(409)
  })

  test('200 requests of all kinds at once, refused ones too, are all answered: no way out keeps the lock', async () => {
    const bad = requestLine('core.kill')
    const kinds: readonly (readonly [body: string, headers: Record<string, string>, statuses: number[]])[] = [
      [read, {}, [200]],
      [setState('d'), {}, [409]],
      [read, under(7), [200, 409]],
      [setState('a'), under(8), [200, 409]],
      [batchOf([read, setState('d'), hold]), under(9), [200, 409]],
      [batchOf([read, read]), {}, [200]],
      [batchOf([hold]), under(3), [409]],
      [batchOf([read, bad]), under(9), [400]],
      [batchOf([setState('a')]), { 'x-dc-generation': 'x' }, [400]],
      [setState('a'), { 'x-dc-generation': '' }, [400]],
      [bad, under(9), [400]],
      ['[\n\n]', under(9), [400]],
      [batchOf(Array.from({ length: 101 }, () => read)), under(9), [413]],
      [batchOf([requestLine('dispatcher.list'), setState('a')]), under(9), [500]],
      [requestLine('dispatcher.list', '[]', 1).replace('1}', '007}'), under(9), [200, 400]],
      [read, { ...under(9), 'x-rpc-key': 'wrong' }, [401]],
    ]
    expect((await ask(read, under(6))).status).toBe(200)
    const all = Array.from({ length: 200 }, (_, index) => kinds[(index * 7) % kinds.length] ?? kinds[0])
    const wrong: string[] = []
    const worker = async () => {
      for (let next = all.shift(); next !== undefined; next = all.shift()) {
        const [body, headers, statuses] = next
        const { status } = await ask(body, headers)
        if (!statuses.includes(status)) wrong.push(`${status} for ${body.slice(0, 80)}`)
      }
    }
    await Promise.all(Array.from({ length: 32 }, worker))
    expect(wrong).toEqual([])
    expect((await ask(setState('a'), under(10))).status).toBe(200)
  })
})
