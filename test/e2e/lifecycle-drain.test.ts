import { expect, test } from 'vitest'
import { run } from '../../lab/run.ts'
import { scenariosNamed } from '../../lab/scenarios.ts'
import { withWorld } from '../../lab/world.ts'

test('a server that is scaled in keeps its calls, gets no new one, and goes when the last one is over', async () => {
  const { report } = await withWorld({ kamailio: '6.1', log: () => undefined }, (world) =>
    run(world, scenariosNamed(['scale-in'])),
  )
  expect([...report.problems, ...report.scenarios.flatMap(({ problems }) => problems)]).toEqual([])
  expect(report.passed).toBe(true)
  expect(report.calls).toMatchObject({ failed: 0, cut: 0 })
})
