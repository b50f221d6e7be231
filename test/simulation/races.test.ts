import { expect, test } from 'vitest'
import { runHistory } from './history.ts'
import { races } from './races.ts'
import { judge } from './referee.ts'

test.each(Object.entries(races))('%s: no rule is broken', async (_, plan) => {
  expect(judge(await runHistory(plan)).violations).toEqual([])
})
