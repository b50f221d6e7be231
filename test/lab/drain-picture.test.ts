import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { drawDrain, longestDrain, type PictureInput } from '../../lab/referee/drain-picture.ts'
import type { DrainEvidence } from '../../lab/referee/evidence.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'

const call = (server: string, at: number, change: Partial<CallRecord> = {}): CallRecord => ({
  callId: `${server}-${at}`,
  caller: 'caller',
  edge: 'edge-a',
  invites: [{ server, at }],
  server,
  placedAt: at,
  answeredAt: at,
  endedAt: at + 12_000,
  byeAtServerAt: at + 12_000,
  outcome: 'ended',
  why: undefined,
  ...change,
})
const shows = (edge: string, at: number, flags: string) => ({ edge, at, flags: new Map([[1, flags]]) })
const began = 100_000
const drain: DrainEvidence = {
  kind: 'drain',
  scenario: 'scale-in',
  destination: 'sip:127.0.2.1:5060',
  machine: 'ms-1',
  server: 'ms-1',
  edges: ['edge-a', '<edge-b>'],
  triggeredAt: began,
  action: {
    endedAt: began + 15_000,
    result: 'CONTINUE',
    cause: 'completed',
    heartbeats: [began + 500, began + 7000],
  },
  goneAt: began + 15_500,
  watchedUntil: began + 16_000,
  problems: [],
}
const input: PictureInput = {
  drain,
  calls: [call('ms-1', began - 1000), call('ms-1', began - 2000), call('ms-2', began + 3000)],
  flags: [
    shows('edge-a', 0, 'AP'),
    shows('<edge-b>', 0, 'AP'),
    shows('edge-a', began + 1000, 'DX'),
    shows('<edge-b>', began + 2000, 'DX'),
  ],
  kamailioVersions: ['6.1.5'],
}
/** How often that is in the picture. */
const count = (svg: string, what: RegExp) => svg.match(what)?.length ?? 0
const came = (svg: string) => /class="came" d="([^"]*)"/.exec(svg)?.[1]?.split('M').length ?? 0

test('a picture has the times, calls, flags and heartbeats of its drain', () => {
  const svg = drawDrain(input)
  for (const [at, text] of [
    ['0.0', 'scale-in'],
    ['2.0', 'disabled on every edge'],
    ['11.0', 'its last call ends'],
    ['15.0', 'CONTINUE: it is terminated'],
  ])
    expect(svg).toContain(`${at} s</tspan> ${text}`)
  expect(svg).toContain('with 2 calls up: none of them cut')
  expect(svg).toContain('none of 1 new calls came to it')
  expect(count(svg, /AP: active/g)).toBe(2)
  expect(count(svg, /DX: disabled/g)).toBe(2)
  expect(count(svg, /class="beat"/g)).toBe(2)
})

test('a call that came all the same, or was cut, is drawn and told', () => {
  const late = call('ms-1', began + 4000, { outcome: 'cut' })
  const svg = drawDrain({ ...input, calls: [...input.calls, late] })
  expect(came(svg)).toBe(came(drawDrain(input)) + 1)
  expect(svg).toContain('1 of them cut')
  expect(svg).toContain('1 of 2 new calls came to it')
})

test('an edge that never showed it disabled is drawn so, and no moment is marked', () => {
  const svg = drawDrain({ ...input, flags: input.flags.slice(0, 3) })
  expect(svg).not.toContain('disabled on every edge')
  expect(svg).toContain('It was never disabled everywhere.')
  expect(count(svg, /DX: disabled/g)).toBe(1)
})

test('the longest drain that our CONTINUE ended is the one to draw', () => {
  const { action } = drain
  const short: DrainEvidence = { ...drain, triggeredAt: began + 5000 }
  const byChoice: DrainEvidence = { ...drain, action: undefined, triggeredAt: 0 }
  const abandoned: DrainEvidence = {
    ...drain,
    action: action && { ...action, result: 'ABANDON' },
    triggeredAt: 0,
  }
  expect(longestDrain([short, byChoice, drain, abandoned])).toBe(drain)
  expect(longestDrain([byChoice])).toBeUndefined()
})

test('it is small, on a ground of its own, names are escaped, and it loads nothing', () => {
  const kept = readFileSync(join(import.meta.dirname, '../../docs/drain.svg'), 'utf8')
  expect(kept.length).toBeLessThan(60_000)
  for (const svg of [kept, drawDrain(input)]) {
    expect(svg).toContain('<rect class="card"')
    expect(svg).not.toMatch(/<edge-b>|<script|<image|href=|url\(|@import/)
  }
})
