import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'

const root = join(import.meta.dirname, '..')
const versions = z.record(z.string(), z.string()).default({})

test('every dependency has its reason, and its exact version', () => {
  const manifest = z
    .object({ dependencies: versions, devDependencies: versions, optionalDependencies: versions })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  const reasons = readFileSync(join(root, 'docs/decisions/dependencies.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  expect(reasons.toSorted()).toEqual(Object.keys(all).toSorted())
  for (const version of Object.values(all)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})
