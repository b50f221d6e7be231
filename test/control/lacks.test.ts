import { expect, test } from 'vitest'
import type { EdgeDescription } from '../../functions/control/edge-facts.ts'
import { lacks, type Observation } from '../../functions/control/observation.ts'
import { description } from './reading-samples.ts'

const seen = (changes: Partial<EdgeDescription>, mediaServer?: number): Observation => ({
  at: 0,
  mediaServerAt: 0,
  instanceGone: false,
  released: [],
  ...(mediaServer !== undefined && { mediaServer }),
  edges: [
    {
      edge: 'a',
      flags: 'disabled',
      count: { calls: 0, source: 'profile', outbound: true },
      at: 0,
      readBy: 0,
      bootTime: 'x',
      description: { ...description, ...changes },
    },
    { edge: 'b', unknown: 'no reply' },
  ],
})

test('what an edge lacks is published with each drain that it carries', () => {
  expect(lacks(seen({ profiles: [], counters: false }))).toEqual([
    'edge a: no call profiles, calls are counted by weaker means',
  ])
  expect(lacks(seen({ profiles: ['dst'] }))).toEqual([
    'edge a: no profile "src", calls that the media server places through it are not counted',
  ])
})

test('an edge that counts both directions lacks nothing, nor does one whose media server counts for itself', () => {
  expect(lacks(seen({}))).toEqual([])
  expect(lacks(seen({ profiles: ['dst'] }, 2))).toEqual([])
})
