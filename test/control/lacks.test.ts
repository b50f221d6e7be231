import { expect, test } from 'vitest'
import type { CallCount } from '../../functions/control/round.ts'
import { lacks, type Observation } from '../../functions/control/verdict.ts'

const seen = (count: CallCount, mediaServer?: number): Observation => ({
  at: 0,
  instanceGone: false,
  released: [],
  ...(mediaServer !== undefined && { mediaServer }),
  edges: [
    { edge: 'a', flags: 'disabled', count, at: 0, readBy: 0, bootTime: 'x', remembers: true },
    { edge: 'b', unknown: 'no reply' },
  ],
})

test('an edge that counts by weaker means still works, and what it lacks is said', () => {
  expect(lacks(seen({ calls: 3, source: 'load', outbound: false }))).toEqual([
    'edge a: no call profiles, calls are counted by weaker means (load)',
  ])
  expect(lacks(seen({ calls: 0, source: 'profile', outbound: false }))).toEqual([
    'edge a: no profile "src", calls that the media server places through it are not counted',
  ])
})

test('an edge that counts both directions lacks nothing, nor does one whose media server counts for itself', () => {
  expect(lacks(seen({ calls: 0, source: 'profile', outbound: true }))).toEqual([])
  expect(lacks(seen({ calls: 0, source: 'profile', outbound: false }, 2))).toEqual([])
})
