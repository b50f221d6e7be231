import { expect, it } from 'vitest'
import { knownOutcome } from '../../cli/show/show-outcome.ts'
import { filedChangeRow } from '../../functions/aws/change-rows.ts'
import { namedHold } from '../../functions/contracts/event-parts.ts'
import { holdSources } from '../../functions/control/hold.ts'

it.each(holdSources)('a hold of %s is known where events, changes on file and answers name one', (source) => {
  const named = { source, id: 'a', who: 'alice', why: 'a test' }
  expect(namedHold.parse(named)).toEqual(named)
  const whose = { id: '1#lifted#a', at: 1, kind: 'lifted', who: 'alice' }
  const filed = { ...whose, hold: { source, id: 'a' }, destinations: [], shown: [], complete: true }
  expect(filedChangeRow.parse(filed)).toEqual(filed)
  const outcome = knownOutcome({ id: 'c', command: 'activate', result: 'lifted', lifted: [named] })
  expect(outcome?.lifted).toEqual([named])
})
