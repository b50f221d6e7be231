import { expect, test } from 'vitest'
import { createMemoryClock } from './clock.ts'

test('two sleepers share the time and wake in its order', async () => {
  const clock = createMemoryClock(0)
  const woken: string[] = []
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push(`${name}@${clock.now()}`)
  }
  await Promise.all([sleeper('slow', 5000), sleeper('fast', 2000), sleeper('fast, again', 2000)])
  expect(woken).toEqual(['fast@2000', 'fast, again@2000', 'slow@5000'])
})

test('advancing lets what is due happen at its own time', async () => {
  const clock = createMemoryClock(0)
  const seen: number[] = []
  clock.at(300, () => seen.push(clock.now()))
  clock.at(100, () => seen.push(clock.now()))
  clock.at(900, () => seen.push(clock.now()))
  await clock.advance(500)
  expect(seen).toEqual([100, 300])
  expect(clock.now()).toBe(500)
})

test('an appointment alone does not make time pass, a sleeper passes it on the way', async () => {
  const clock = createMemoryClock(0)
  const seen: number[] = []
  clock.at(100, () => seen.push(clock.now()))
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toEqual([])
  await clock.sleep(200)
  expect(seen).toEqual([100])
})
