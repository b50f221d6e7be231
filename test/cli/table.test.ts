import { expect, test } from 'vitest'
import { type Column, table } from '../../cli/desk/table.ts'

interface Row {
  readonly name: string
  readonly why: string
  readonly id: string
}
const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => ({ text: name, style: 'red' }), least: 6 },
  { title: 'WHY', cell: ({ why }) => why, least: 8 },
  { title: 'ID', cell: ({ id }) => id, optional: true },
]
const rows = [
  { name: 'edge-a', why: 'its disk is failing', id: '1' },
  { name: 'edge-of-the-other-region', why: 'none', id: '22' },
]
const screen = (width?: number, hasColour = false) => ({ columns: width, isTerminal: true, hasColour })

test('nothing is cut where there is room, or no terminal', () => {
  for (const width of [undefined, 160])
    expect(table(columns, rows, screen(width))).toMatchInlineSnapshot(`
      "NAME                      WHY                  ID
      edge-a                    its disk is failing  1
      edge-of-the-other-region  none                 22"
    `)
})

test('what is optional goes first, then the longest column is cut, down to its least', () => {
  expect(table(columns, rows, screen(46))).toBe(
    [
      'NAME                      WHY',
      'edge-a                    its disk is failing',
      'edge-of-the-other-region  none',
    ].join('\n'),
  )
  expect(table(columns, rows, screen(26))).toBe(
    ['NAME         WHY', 'edge-a       its disk is …', 'edge-of-th…  none'].join('\n'),
  )
  expect(table(columns, rows, screen(4)).split('\n')[2]).toBe('edge-…  none')
})

test('a style is round the whole cell, and there is none without colour', () => {
  expect(table(columns, rows.slice(0, 1), screen(undefined, true))).toContain('\u001b[31medge-a\u001b[39m')
  expect(table(columns, rows.slice(0, 1), screen())).not.toContain('\u001b')
})

test('a cell that is cut is a reason for the hint, as a column that is left out', () => {
  const hinted = (shown: readonly Column<Row>[], width: number) => {
    let hints = 0
    const onLeftOut = () => {
      hints += 1
    }
    table(shown, rows, { ...screen(width), onLeftOut })
    return hints
  }
  expect(hinted(columns.slice(0, 2), 26)).toBe(1)
  expect(hinted(columns, 26)).toBe(1)
  expect(hinted(columns, 46)).toBe(1)
  expect(hinted(columns, 160)).toBe(0)
})

test('a column that is left out is no reason for the hint where it tells nothing, or there is no row', () => {
  const hints = (of: readonly Row[]) => {
    let count = 0
    const onLeftOut = () => {
      count += 1
    }
    table(columns, of, { ...screen(12), onLeftOut })
    return count
  }
  const row = { name: 'edge-a', why: 'its disk' }
  expect(hints([{ ...row, id: '17' }])).toBe(1)
  expect(hints([{ ...row, id: '-' }])).toBe(0)
  expect(hints([])).toBe(0)
})

test.each([
  ['an emoji of several code points', '👩‍👩‍👧', 2],
  ['a flag', '🇩🇪', 2],
  ['CJK', '院', 2],
  ['halfwidth katakana', 'ｱ', 1],
  ['a letter with an accent of its own', 'e\u0301', 1],
])('%s is never halved by a cut, and the columns beside it stay in line', (_what, one, width) => {
  const shown: readonly Column<Row>[] = [
    { title: 'WHY', cell: ({ why }) => why, least: 8 },
    { title: 'ID', cell: ({ id }) => id },
  ]
  const of = [
    { name: '', why: one.repeat(10), id: '1' },
    { name: '', why: one, id: '2' },
  ]
  const fits = Math.floor(7 / width)
  const cut = `${one.repeat(fits)}…${' '.repeat(7 - fits * width)}`
  expect(table(shown, of, screen(11)).split('\n')).toEqual([
    'WHY       ID',
    `${cut}  1`,
    `${one}${' '.repeat(8 - width)}  2`,
  ])
})
