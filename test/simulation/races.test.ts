import { expect, test } from 'vitest'
import { runHistory } from './history.ts'
import type { Plan } from './plan.ts'
import { races, stillBroken } from './races.ts'
import { judge, type Rule, rules } from './referee.ts'

async function brokenIn(plan: Plan): Promise<readonly Rule[]> {
  const { violations } = judge(await runHistory(plan))
  return (Object.keys(rules) as Rule[]).filter((rule) => violations.some((one) => one.rule === rule))
}

const names = Object.keys(races) as (keyof typeof races)[]
const broken = names.flatMap((name) => {
  const today = stillBroken[name]
  return today ? [{ name, today }] : []
})

test.each(broken)('$name: still breaks $today', async ({ name, today }) => {
  const breaks = await brokenIn(races[name])
  expect(breaks.length, 'mended: take it off stillBroken').toBeGreaterThan(0)
  expect(breaks).toEqual(today)
})

test.each(names.filter((name) => !stillBroken[name]))('%s: is mended and breaks no rule', async (name) => {
  expect(await brokenIn(races[name])).toEqual([])
})
