import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventTypes, metricNames, metricNamespace } from '../functions/contracts/names.ts'
import { eventFile } from '../lib/event-schemas.ts'

const runbook = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')

const [, section = ''] = runbook.split('\n## Events\n')

test('the runbook says what each event means, once, and names no other', () => {
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` \| \S/gm)].map(
    ([, name]) => name,
  )
  expect(rows.sort()).toEqual(Object.values(eventTypes).sort())
})

test.each(Object.values(eventTypes))('the row of %s links its sample and its schema', (type) => {
  const row = section.split('\n').find((line) => line.startsWith(`| \`${type}\` |`))
  for (const folder of ['published', 'schemas'])
    expect(row).toContain(`(../events/${folder}/${eventFile(type)})`)
})

test('the runbook names each metric, and our namespace', () => {
  for (const name of [...Object.values(metricNames), metricNamespace])
    expect(runbook).toContain(`\`${name}\``)
})
