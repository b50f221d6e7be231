import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { everyScenario } from '../../lab/scenarios/scenarios.ts'
import { some } from '../present.ts'

const demo = join(import.meta.dirname, '../../lab/demo.ts')

test('--only of a name that is none is an error that lists the names, and nothing is started', () => {
  const { status, stdout } = spawnSync(process.execPath, [demo, '--only', 'nothing'], { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stdout).toContain('there is no scenario "nothing"; there are: ')
  for (const { name } of some(everyScenario)) expect(stdout).toContain(name)
  expect(stdout).not.toContain('files of this run')
})
