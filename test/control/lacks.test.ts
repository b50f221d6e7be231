import { expect, test } from 'vitest'
import type { EdgeDescription } from '../../functions/control/edge-facts.ts'
import { lacks, type Observation } from '../../functions/control/observation.ts'

const description: EdgeDescription = {
  edge: 'a',
  restoresDialogs: false,
  version: 'kamailio 6.1.5',
  bootTime: 'x',
  uptimeSeconds: 9,
  bootId: '1-2',
  batch: true,
  fence: true,
  guard: true,
  profiles: ['dst', 'src'],
  counters: true,
  list: { destinations: 2, opaque: 0, opaqueSamples: [], iuid: true },
  counts: 'counting',
}

const seen = (changes: Partial<EdgeDescription>, mediaServer?: number): Observation => ({
  at: 0,
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
