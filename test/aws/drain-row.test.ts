import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { drainRow, toDrainRow } from '../../functions/aws/drain-row.ts'
import { type Drain, drainId } from '../../functions/control/drain.ts'
import { actionDrain } from '../control/drain-samples.ts'
import { formerDrainRow } from '../former-release/drain-row.ts'
import { actionPhases, aDrain, aHoldDrain, holdPhases } from '../port-contracts/store-samples.ts'
import { some } from '../present.ts'

const drains: readonly Drain[] = [
  ...actionPhases.map((phase) => aDrain('a', { phase })),
  ...holdPhases.map((phase) => aHoldDrain('a', { phase })),
]
const each = drains.map((drain) => ({ drain, phase: drain.phase.name, source: drain.hold.source }))
const stored = (drain: Drain): unknown => JSON.parse(JSON.stringify(toDrainRow(drain)))

test.each(each)("$source's drain in the phase $phase is read as it was written", ({ drain }) => {
  expect(drainRow.parse(stored(drain))).toEqual(drain)
})

test.each(['retain', 'terminate'] as const)(
  'so is one whose group has policy %s, which ends no calls',
  (callsLeft) => {
    const drain = actionDrain({ name: 'claimed' }, { callsLeft, unknown: 'terminate' })
    const found = { ...drain, action: { ...drain.action, isRetained: true } } as const satisfies Drain
    expect(found.action).not.toHaveProperty('endCalls')
    expect(drainRow.parse(stored(found))).toEqual(found)
  },
)

test('what an earlier release had seen of its calls is left out', () => {
  const drain = aDrain('a')
  const row = { ...toDrainRow(drain), calls: { count: 3, at: 61_000, known: false } }
  expect(drainRow.parse(row)).toEqual(drain)
})

test.each([
  { completion: 'CONTINUE', result: 'retained' },
  { completion: 'CONTINUE', result: 'lifted' },
  { completion: 'ABANDON', result: 'drained' },
  { completion: 'TERMINATE', result: 'drained' },
  { completion: 'CONTINUE', result: 'drained', retainedAt: 1 },
  { completion: 'TERMINATE', result: 'terminated-at-deadline', retainedAt: 1 },
  { result: 'drained' },
  { completion: 'CONTINUE' },
])('a completion that contradicts itself is not carried out, but looked at anew: %o', (row) => {
  const drain = aDrain('a')
  const { phase } = drainRow.parse({ ...toDrainRow(drain), state: 'completing', ...row })
  expect(phase.name).toBe('retainedAt' in row ? 'retained' : 'draining')
})

test.each([
  ['a lifecycle action’s without its action', { ...toDrainRow(aHoldDrain('a')), source: 'lifecycle' }],
  [
    'an operator’s with one',
    { ...toDrainRow(aHoldDrain('a')), lifecycle: toDrainRow(aDrain('a')).lifecycle },
  ],
])('a row is refused, and not looked at as another drain: %s', (_, row) => {
  expect(drainRow.safeParse(row).error?.issues).toMatchObject([
    { path: ['lifecycle'], message: expect.stringContaining('with the source lifecycle, and with no other') },
  ])
})

/**
 * Written by release 0.1.0: the row, the phase that it is in now, and the events that its next write keeps.
 */
const sample = z.strictObject({
  row: formerDrainRow.strict(),
  phase: z.looseObject({ name: z.string() }),
  events: z.array(z.string()),
})
const folder = join(import.meta.dirname, '../former-release/drains')
const samples = readdirSync(folder).map((file) => ({
  file,
  ...sample.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
}))

test.each(samples)('a drain of the release before is taken over: $file', ({ row, phase, events }) => {
  const drain = drainRow.parse(row)
  expect(drain.phase).toEqual(phase)
  expect(drain.events.map(({ name }) => name)).toEqual(events)
  expect(drainId(drain)).toBe(row.id)
  const { attempt, version, steps, completionTries, callsEnded, lastHeartbeatAt } = row
  expect(drain).toMatchObject({ attempt, version, steps })
  expect(drain.completionTries).toBe(row.lifecycle ? completionTries : undefined)
  expect([drain.callsEnded, drain.lastHeartbeatAt]).toEqual([callsEnded, lastHeartbeatAt])
  expect(drain.action).toEqual(row.lifecycle)
  const { source, holdId, uris, addresses, wholeInstance, group, who, why, order } = row
  expect(drain.hold).toEqual({
    ...{ source, id: holdId, uris, addresses, wholeInstance, who, why, order },
    subject: row.subject ?? { kind: 'instance', instanceId: row.instanceId, launchedAt: 0 },
    placedAt: row.requestedAt,
    until: row.deadlineAt,
    ...(group !== undefined && { group }),
  })
})

test('there is a drain of the release before in each of its states', () => {
  const states = new Set(samples.map(({ row }) => row.state))
  expect([...states].toSorted()).toEqual(formerDrainRow.shape.state.options.toSorted())
})

/** What the release before goes by in a row that is open. */
const readings = {
  claimed: { state: 'claimed' },
  draining: { state: 'draining' },
  held: { state: 'drained' },
  'ending-calls': { state: 'draining', endingSince: expect.any(Number) },
  retained: { state: 'draining', retainedAt: expect.any(Number) },
  completing: { state: 'completing', completion: expect.any(String), result: expect.any(String) },
  ended: { state: 'ended', result: expect.any(String) },
} as const satisfies Record<Drain['phase']['name'], object>

test.each(each)(
  "after a rollback the release before reads $source's drain in the phase $phase",
  ({ drain }) => {
    const { phase, hold, action } = drain
    const former = formerDrainRow.parse(stored(drain))
    expect(former).toMatchObject(readings[phase.name])
    const { who, why, order, uris, addresses, wholeInstance, subject } = hold
    expect(former).toMatchObject({
      who,
      why,
      order,
      uris,
      addresses,
      wholeInstance,
      subject,
      holdId: hold.id,
    })
    expect(former).toMatchObject({ requestedAt: hold.placedAt, deadlineAt: hold.until })
    expect(former.lifecycle).toEqual(action)
    const from = phase.name === 'completing' ? phase.from : phase
    if (!('memory' in from)) return
    const { edges, confirmedAt, overdue } = from.memory
    expect(former.edges).toEqual(edges)
    expect([former.confirmedAt, former.overdueSaid]).toEqual([confirmedAt, overdue])
    // Only a drain that is retained ends with TERMINATE, and by this field alone.
    expect(former.retainedAt !== undefined).toBe(from.name === 'retained')
  },
)

test('each phase was looked at', () => {
  expect(new Set(some(each).map(({ phase }) => phase))).toEqual(new Set(Object.keys(readings)))
})
