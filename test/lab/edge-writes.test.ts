import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type EdgeWrite, isOurs, writeIn } from '../../lab/sip/edge-writes.ts'
import { watchFlags } from '../../lab/sip/flag-watch.ts'

const state = '{"jsonrpc":"2.0","method":"dispatcher.set_state","params":["d",1,"sip:127.0.2.1:5060"],"id":4}'
const line = (madeFor: string) => `11(466) INFO: <script>: rpc: write from 127.0.0.1 for ${madeFor}: ${state}`

test("a write is told from the edge's own line about it: who named what, and what was written", () => {
  expect(writeIn(line('drain-1'), 'edge-a', 5)).toEqual({
    edge: 'edge-a',
    at: 5,
    madeFor: 'drain-1',
    method: 'dispatcher.set_state',
    params: '"d",1,"sip:127.0.2.1:5060"',
  })
  const reload = '{"jsonrpc":"2.0","method":"dispatcher.reload","params":[],"id":1}'
  expect(writeIn(` 7(3) INFO: <script>: rpc: write from ::1 for -: ${reload}`, 'edge-a', 5)).toMatchObject({
    madeFor: '-',
    method: 'dispatcher.reload',
    params: '',
  })
})

test.each([
  'a read, logged at a higher debug level|11(466) DEBUG: <script>: rpc: read from 127.0.0.1 for -: {"jsonrpc":"2.0","method":"dispatcher.list","params":[],"id":1}',
  'a refusal|11(466) WARNING: <script>: rpc: stale generation from 127.0.0.1 for -',
  'a line that was broken off|11(466) INFO: <script>: rpc: write from 127.0.0.1 for -: {"jsonrpc":"2.0","me',
])('no write is %s', (named) => {
  expect(writeIn(named.split('|')[1] ?? '', 'edge-a', 5)).toBeUndefined()
})

const write = (madeFor: string): EdgeWrite => ({ edge: 'edge-a', at: 0, madeFor, method: 'm', params: '' })
const uuid = 'f22cb184-d534-4651-8d89-735ced971d63'

test.each([uuid, `minute/${uuid}`, `edges-changed/${uuid}`, 'drain-1'])('%s is a reason of ours', (name) => {
  expect(isOurs(write(name), new Set(['drain-1']))).toBe(true)
})

test.each(['-', 'drain-2', 'my-script', `${uuid}0`, `my script/${uuid}`])(
  '%s is none: no event, no run and no command that was sent',
  (name) => {
    expect(isOurs(write(name), new Set(['drain-1']))).toBe(false)
  },
)

test("an edge's log is followed from its beginning on, line by whole line", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'edge-writes-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const logFile = join(dir, 'edge-a.log')
  writeFileSync(logFile, `it starts\n${line('one')}\n${line('two').slice(0, 60)}`)
  const watch = watchFlags([{ name: 'edge-a', logFile, list: async () => [] }], [])
  onTestFinished(() => watch.close())
  const names = () => watch.writes().map(({ madeFor }) => madeFor)
  await vi.waitFor(() => expect(names()).toEqual(['one']))
  appendFileSync(logFile, `${line('two').slice(60)}\n`)
  await vi.waitFor(() => expect(names()).toEqual(['one', 'two']))
})
