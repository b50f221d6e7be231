import { expect, test } from 'vitest'
import { alarmStorm } from '../../bench/alarm-storm.ts'

test('a storm of alarms ends, takes what the floor leaves and no more, and publishes each that waits', async () => {
  const storm = await alarmStorm(100, 90)
  expect(storm).toMatchObject({ begun: 10, waiting: 90, published: 90, again: 0 })
  expect(storm.seconds).toBeLessThan(15)
  // Only who decides reads all that waits.
  expect(storm.requests['waiting']).toBeLessThan(200)
})
