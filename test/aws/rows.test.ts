import { expect, test } from 'vitest'
import { drainRow } from '../../functions/aws/rows.ts'
import { claim } from '../../functions/control/claim.ts'
import { machine } from '../control/samples.ts'

const { record } = claim(undefined, {
  id: 'operator/sip:10.0.1.20:5060',
  source: 'operator',
  holdId: 'sip:10.0.1.20:5060',
  who: 'alice',
  why: 'disk failing',
  order: '1000',
  requestedAt: 1_000,
  deadlineAt: 3_601_000,
  uris: [machine.uri],
  addresses: [machine.address],
  wholeInstance: false,
})

test('a drain is read as it was written', () => {
  expect(drainRow.parse(record)).toEqual(record)
})

test('what a release before had seen of a drain’s calls is left out', () => {
  const calls = { count: 3, at: 61_000, ended: 17, callSeconds: 690.5, known: false }
  expect(drainRow.parse({ ...record, calls })).toEqual(record)
})
