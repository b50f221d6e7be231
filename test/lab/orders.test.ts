import { expect, test } from 'vitest'
import { follow } from '../../lab/playground/orders.ts'
import type { World } from '../../lab/world/world.ts'
import { some } from '../present.ts'

const empty = {
  edges: [],
  machines: { all: () => [] },
  ledger: { totals: () => ({ placed: 90, up: 5, failed: 1, cut: 1 }) },
} as unknown as World

function statusAfter(lostTime: { readonly longestMs: number; readonly totalMs: number }, seconds: number) {
  const reach = { world: empty, ways: new Map(), lostTime: () => lostTime }
  return follow({ ...reach, upAt: Date.now() - seconds * 1000 }, { name: 'status', columns: 80 })
}

test.each([
  ['stopped', { longestMs: 1800, totalMs: 2400 }],
  ['slow', { longestMs: 90, totalMs: 9000 }],
])('a machine that was %s is told from a promise that was broken, with the figure', async (_, lostTime) => {
  const lines = await statusAfter(lostTime, 60)
  expect(lines.join('\n')).toContain('too slow to judge')
  expect(lines.at(-1)).toMatch(
    new RegExp(` up to ${lostTime.longestMs} ms late, ${lostTime.totalMs} ms in 60 s$`),
  )
  for (const line of some(lines)) expect(line.length).toBeLessThanOrEqual(80)
})

test('a machine that has time for it is not told of', async () => {
  const lines = await statusAfter({ longestMs: 90, totalMs: 900 }, 60)
  expect(lines[0]).toBe('5 calls up, 90 placed, 1 failed, 1 cut')
  expect(lines.join()).not.toContain('slow')
})

/** On the address of one that is gone. */
const launched = {
  ...{ plan: { name: 'ms-2' }, serverName: 'ms-2.2', uri: 'sip:127.0.2.2:5060' },
  instance: { id: 'i-2', lifecycleState: 'InService' },
}

function worldOf(machine: typeof launched) {
  const terminated: string[] = []
  const terminate = async (id: string) => terminated.push(id)
  const world = { machines: { all: () => [machine] }, autoScaling: { terminate } } as unknown as World
  const reach = { world, ways: new Map(), lostTime: () => ({ longestMs: 0, totalMs: 0 }), upAt: 0 }
  return { reach, terminated }
}

test.each(['ms-2.2', 'ms-2', 'sip:127.0.2.2:5060', 'i-2', undefined])(
  'a server is taken away by any name that the lab shows: %s',
  async (server) => {
    const { reach, terminated } = worldOf(launched)
    await follow(reach, { name: 'scale-in', server })
    expect(terminated).toEqual(['i-2'])
  },
)

test('an order without a server is refused with what is missing where none fits', async () => {
  await expect(follow(worldOf(launched).reach, { name: 'launch' })).rejects.toThrow('no server is gone: ')
  const gone = { ...launched, instance: { ...launched.instance, lifecycleState: 'Terminated' } }
  await expect(follow(worldOf(gone).reach, { name: 'scale-in' })).rejects.toThrow('no server is in service: ')
})
