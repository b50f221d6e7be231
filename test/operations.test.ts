import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventTypes, metricNames, metricNamespace } from '../functions/contracts/names.ts'
import { eventFile } from '../lib/event-schemas.ts'

const runbook = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')

const [section = ''] = (runbook.split('\n## Events\n')[1] ?? '').split('\n## ')

test('the runbook says what each event means, once, and names no other', () => {
  const rows = [...section.matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name)
  expect(rows.sort()).toEqual(Object.values(eventTypes).sort())
})

test.each(Object.values(eventTypes))('the row of %s links its sample and its schema', (type) => {
  const row = section.split('\n').find((line) => line.startsWith(`| \`${type}\` |`))
  for (const folder of ['published', 'schemas'])
    expect(row).toContain(`(../events/${folder}/${eventFile(type)})`)
})

test('what can happen leads to events that there are', () => {
  const rows = [...section.matchAll(/^\| ([a-z][a-z ]+) \| (.*`[A-Z].*) \|$/gm)]
  expect(rows.map(([, happened]) => happened)).toEqual([
    ...['requested', 'waiting', 'started', 'confirmed', 'progress', 'ended'],
    ...['overdue', 'drift', 'refused', 'let in', 'swept', 'frozen'],
  ])
  const types: readonly string[] = Object.values(eventTypes)
  const named = rows.flatMap(([, , events = '']) => [...events.matchAll(/`([A-Z][^`]+)`/g)])
  expect(types).toEqual(expect.arrayContaining(named.map(([, name]) => name)))
})

test('the runbook names each metric, and our namespace', () => {
  for (const name of [...Object.values(metricNames), metricNamespace])
    expect(runbook).toContain(`\`${name}\``)
})
