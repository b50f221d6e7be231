import { expect, test } from 'vitest'
import type { Problem } from '../../lab/referee/evidence.ts'
import { makeReport } from '../../lab/referee/report.ts'
import { sabotageNamed, shownBy } from '../../lab/scenarios/sabotage.ts'

const report = (...strangers: readonly Problem[]) =>
  makeReport({
    startedAt: 0,
    endedAt: 1000,
    kamailioVersions: {},
    failoverWindowMs: 3000,
    calls: [],
    scenarios: [],
    broken: [],
    lostTime: { longestMs: 0, totalMs: 0 },
    strangers,
  })
const shown = ['edges.writes', 'edges.reopened', 'edges.disabled'].map((figure) => ({
  figure,
  text: `what shows ${figure}`,
}))

test('a sabotage is seen when each of its figures shows it, and what they show is told', () => {
  expect(shownBy(sabotageNamed('two-writers'), report(...shown))?.split('\n')).toHaveLength(3)
})

test.each(shown.map(({ figure }) => figure))('a sabotage is not seen when %s shows nothing', (figure) => {
  const rest = shown.filter((problem) => problem.figure !== figure)
  expect(shownBy(sabotageNamed('two-writers'), report(...rest))).toBeUndefined()
})
