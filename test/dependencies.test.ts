import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { some } from './present.ts'

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
  for (const version of some(Object.values(all))) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})

test('the lock file has the package of every platform: npm refuses a clean install without, and drops those that a registry lacks', () => {
  const lock = z
    .object({
      packages: z.record(
        z.string(),
        z.object({ optionalDependencies: z.record(z.string(), z.string()).default({}) }),
      ),
    })
    .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
  const places = Object.keys(lock.packages)
  const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies }) =>
    Object.keys(optionalDependencies),
  )
  expect(wanted.filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)))).toEqual([])
})
