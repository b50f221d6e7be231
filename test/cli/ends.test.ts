import { expect, test } from 'vitest'
import { endsText, endsView } from '../../cli/views/ends.ts'

test('an end that was foretold and is past is not known any more', () => {
  const ending = { earliest: 60_000, latest: 120_000 }
  expect(endsText(endsView(ending, 30_000), 30_000)).toBe('30s to 2m')
  expect(endsView(ending, 120_001)).toEqual({ unknown: expect.stringContaining('longer') })
  expect(endsText(endsView(ending, 120_001), 120_001)).toBe('unknown')
})
