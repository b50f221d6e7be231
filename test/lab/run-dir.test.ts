import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeRunDir } from '../../lab/world/run-dir.ts'

const runs = mkdtempSync(join(tmpdir(), 'dispatcher-control-runs-'))
afterAll(() => rmSync(runs, { recursive: true, force: true }))

/** No process has so high a number. */
const over = [1, 2, 3, 4].map((n) => `2026-11-2${n}T10-00-00-000Z-99999999`)

test('each run has a folder of its own, so that its report is its own; of runs that are over the last three stay', async () => {
  for (const name of over) {
    mkdirSync(join(runs, name))
    writeFileSync(join(runs, name, 'report.json'), '{}')
  }
  const first = makeRunDir(runs)
  writeFileSync(join(first, 'report.json'), '{}')
  // Their names have the millisecond.
  await expect.poll(() => makeRunDir(runs)).not.toBe(first)
  expect(existsSync(join(first, 'report.json'))).toBe(true)
  const [begun, ...left] = [readdirSync(runs).filter((name) => !over.includes(name)), ...readdirSync(runs)]
  expect(begun.length).toBeGreaterThanOrEqual(2)
  expect(left.filter((name) => over.includes(name))).toEqual(over.slice(1))
})
