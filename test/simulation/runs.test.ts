import { expect, test } from 'vitest'
import { Faults } from './faults.ts'
import { Runs } from './runs.ts'
import { VirtualClock } from './virtual-clock.ts'

test('a function that is killed at its very first call does nothing more, nor what it had begun beside that', async () => {
  const clock = new VirtualClock()
  const fault = { kind: 'call', from: 0, on: 'first', nth: 1, what: 'dies before', ms: 0 } as const
  const runs = new Runs(clock, new Faults([fault], clock.now()), [0])
  const done: string[] = []
  const call = (name: string) => runs.call(name, async () => void done.push(name))
  const { end } = await runs.invoke('settle', () => Promise.all([call('first'), call('beside it')]))
  expect({ end, done }).toEqual({ end: 'died', done: [] })
})
