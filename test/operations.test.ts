import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventTypes, metricNames, metricNamespace } from '../functions/contracts/names.ts'

const runbook = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')

test('the runbook says what each event means, once, and names no other', () => {
  const [, section = ''] = runbook.split('\n## Events\n')
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` \| \S/gm)].map(
    ([, name]) => name,
  )
  expect(rows.sort()).toEqual(Object.values(eventTypes).sort())
})

test('the runbook names each metric, and our namespace', () => {
  for (const name of [...Object.values(metricNames), metricNamespace])
    expect(runbook).toContain(`\`${name}\``)
})
