import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDisplay, sizeOf } from '../../lab/world/display.ts'
import { renderTable, type TableRow } from '../../lab/world/live-table.ts'
import { some } from '../present.ts'

const rows: TableRow[] = [
  {
    name: 'long-1.2',
    address: '127.0.2.21:51234',
    calls: 14,
    flags: ['DX DX', '?'],
    id: 'i-0123456789abcdef0',
    instance: 'Terminating:Wait',
    workflow: 'draining, 14 calls left',
  },
]
const options = { title: '12 s: 90 calls up', edges: ['edge-a', 'edge-b'], colour: false }

test('at 80 columns each server has its calls, flags per edge, Auto Scaling state and workflow, in whole words', () => {
  const [, heading, row] = renderTable(rows, { ...options, width: 80 })
  expect(heading?.trimEnd()).toBe('server    calls        edge-a  edge-b  state            workflow')
  expect(row).toBe('long-1.2     14 ██████ DX DX   ?       Terminating:Wait draining, 14 calls left')
})

test('what does not fit is cut between two words', () => {
  const long = rows.map((row) => ({ ...row, workflow: 'Lifecycle Completion Failed' }))
  const [, , row] = renderTable(long, { ...options, width: 80 })
  expect(row).toMatch(/Terminating:Wait Lifecycle Completion …$/)
})

test('at 160 columns there is the address too, and a longer bar', () => {
  const [, , row] = renderTable(rows, { ...options, width: 160 })
  expect(row).toContain('127.0.2.21:51234')
  expect(row).toContain('██████████████ ')
  expect(row).toContain('i-0123456789abcdef0 Terminating:Wait     draining, 14 calls left')
})

test('no line is wider than the terminal, whatever is in it', () => {
  const row = fc.record({
    name: fc.string(),
    address: fc.string(),
    calls: fc.nat(100_000),
    flags: fc.array(fc.string(), { maxLength: 3 }),
    id: fc.string(),
    instance: fc.string(),
    workflow: fc.string(),
  })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 3 }),
      fc.integer({ min: 64, max: 240 }),
      fc.boolean(),
      (rows, width, colour) => {
        for (const line of some(renderTable(rows, { ...options, width, colour })))
          expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width)
      },
    ),
  )
})

test('without colour there is no escape sequence', () => {
  expect(renderTable(rows, { ...options, width: 80 }).join()).not.toContain('\u001b')
  expect(renderTable(rows, { ...options, width: 80, colour: true }).join()).toContain('\u001b[')
})

test('a terminal of no size is no narrow one: nothing is cut for it', () => {
  expect([0, undefined, 80].map(sizeOf)).toEqual([undefined, undefined, 80])
})

test('piped into a file a run prints plain lines and never redraws', () => {
  let written = ''
  const display = openDisplay({ write: (text) => (written += text) }, {})
  display.log('the AWS emulator answers')
  display.close()
  expect(written).toMatch(/^ +\d+\.\d s {2}the AWS emulator answers\n$/)
})
