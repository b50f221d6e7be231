import { expect, test } from 'vitest'
import { lintPlanted } from './planted.ts'

test('a lint that is cut short is told as that, and not as one that found nothing or answered nothing', () => {
  expect(() => lintPlanted([], 1)).toThrow('biome lint did not end, with 1 ms to do it in')
})
