import { expect, test } from 'vitest'
import { DispatcherMemory } from './dispatcher-memory.ts'

test('a reload takes the file as it is when it begins, whenever its end is seen', () => {
  const fileOf = (flags: 'AP' | 'DX') => [{ set: 1, uri: 'sip:10.0.1.20:5060', flags }] as const
  const dispatcher = new DispatcherMemory({
    ...{ file: fileOf('AP'), knowsNoPing: true, names: undefined, probingMode: undefined },
    ...{ reloadTakesMs: 400, reloadDeltaMs: 5000, bootedAt: 0 },
  })
  const shown = (now: number) => dispatcher.entries(now).map(({ flags }) => flags)
  expect(dispatcher.reload(10_000)).toBe(true)
  dispatcher.file = fileOf('DX')
  expect(shown(60_000)).toEqual(['AP'])
  dispatcher.reload(60_000)
  expect([shown(60_399), shown(60_400)]).toEqual([['AP'], ['DX']])
})
