import { expect, test } from 'vitest'
import { run } from '../../lab/scenarios/run.ts'
import { scenariosNamed } from '../../lab/scenarios/scenarios.ts'
import { withWorld } from '../../lab/world/world.ts'

test('a server that is scaled in keeps its calls, gets no new one, and goes when the last one is over', async () => {
  const { report } = await withWorld({ kamailio: '6.1', log: () => undefined }, (world) =>
    run(world, scenariosNamed(['scale-in'])),
  )
  expect([...report.problems, ...report.scenarios.flatMap(({ problems }) => problems)]).toEqual([])
  expect(report.passed).toBe(true)
  expect(report.calls).toMatchObject({ failed: 0, cut: 0 })
})
