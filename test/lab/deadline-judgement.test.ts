import { expect, test } from 'vitest'
import { deadlineProblems, isByPolicy } from '../../lab/referee/deadline-judgement.ts'
import type { DeadlineEvidence, DrainEvidence } from '../../lab/referee/evidence.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'

const at = 7000
const endedAt = 8000
const call: CallRecord = {
  callId: '1',
  caller: 'caller',
  edge: 'edge-a',
  invites: [{ server: 'ms-1', at: 100 }],
  server: 'ms-1',
  placedAt: 95,
  answeredAt: 150,
  endedAt: undefined,
  byeAtServerAt: undefined,
  outcome: 'cut',
  why: 'ms-1 went away',
}
const evidence = (choice: DeadlineEvidence['choice'], actionEndedAt = endedAt): DrainEvidence => ({
  kind: 'drain',
  scenario: choice,
  destination: 'sip:127.0.2.1:5060',
  machine: 'ms-1',
  server: 'ms-1',
  edges: ['edge-a'],
  triggeredAt: 1000,
  action: { endedAt: actionEndedAt, result: 'CONTINUE', cause: 'completed', heartbeats: [] },
  deadline: { at, choice },
  watchedUntil: 20_000,
  problems: [],
})

test.each<[string, boolean, DrainEvidence, Partial<CallRecord>]>([
  ['left when its instance was let go', true, evidence('terminate'), {}],
  ['let go before the deadline', false, evidence('terminate', at - 1), {}],
  ['that got a BYE of somebody first', false, evidence('terminate'), { byeAtServerAt: 7500 }],
  ['ended at both ends', true, evidence('end-calls'), { hungUpAt: 7400, byeAtServerAt: 7500 }],
  ['ended at one end', false, evidence('end-calls'), { hungUpAt: 7400 }],
  ['ended before the deadline', false, evidence('end-calls'), { hungUpAt: 6000, byeAtServerAt: 6000 }],
  ['lost with the instance', false, evidence('end-calls'), {}],
  ['lost by a retained instance', false, evidence('retain'), {}],
])('a call %s: the policy answers for it: %s', (_, expected, drain, change) => {
  expect(isByPolicy(drain, { ...call, ...change })).toBe(expected)
})

const completed = { endedAt, result: 'CONTINUE', cause: 'completed', heartbeats: [] } as const
const abandoned = { ...completed, result: 'ABANDON' } as const

test.each([
  ['terminate', { at, choice: 'terminate' }, completed, undefined, 1],
  ['end-calls', { at, choice: 'end-calls' }, completed, 7900, 1],
  ['retain', { at, choice: 'retain', goneAt: 12_000 }, abandoned, 11_000, 0],
] as const)('%s: what it promises is found to hold', (_, deadline, action, lastBye, byPolicy) => {
  expect(deadlineProblems(deadline, action, lastBye, byPolicy)).toEqual([])
})

test.each([
  ['nothing was completed', { at, choice: 'terminate' }, { ...completed, endedAt: undefined }, undefined, 1],
  ['completed before the deadline', { at: 9000, choice: 'terminate' }, completed, undefined, 1],
  [
    'ended by the hook, not by us',
    { at, choice: 'terminate' },
    { ...completed, cause: 'expired-default' },
    undefined,
    1,
  ],
  ['no call was left', { at, choice: 'end-calls' }, completed, 7900, 0],
  ['CONTINUE before the last BYE', { at, choice: 'end-calls' }, completed, 8100, 1],
  ['CONTINUE instead of ABANDON', { at, choice: 'retain', goneAt: 12_000 }, completed, 11_000, 0],
  ['retained for ever', { at, choice: 'retain' }, abandoned, 11_000, 0],
  ['retained, and gone too early', { at, choice: 'retain', goneAt: 10_000 }, abandoned, 11_000, 0],
  ['retained for nothing', { at, choice: 'retain', goneAt: 12_000 }, abandoned, 7900, 0],
] as const)('%s is found', (_, deadline, action, lastBye, byPolicy) => {
  expect(deadlineProblems(deadline, action, lastBye, byPolicy)).toHaveLength(1)
})
