import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kept } from '../former-release/kept.ts'
import { some } from '../present.ts'
import { exampleTemplate } from './synthesized.ts'

const file = join(import.meta.dirname, '../former-release/template.json')
const former = kept(JSON.parse(readFileSync(file, 'utf8')))

test('an upgrade from 0.1.0 replaces nothing that holds something, or whose name or ARN is known elsewhere', {
  timeout: 60_000,
}, () => {
  const now = kept(exampleTemplate().toJSON())
  for (const [id, resource] of some(Object.entries(former)))
    expect({ id, ...now[id] }).toEqual({ id, ...resource })
})
