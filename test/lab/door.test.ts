import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { labThatIsUp, processBegun } from '../../lab/playground/door.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'door-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** As a lab leaves it. */
function doorFile(of: object) {
  const file = join(folder, 'lab.json')
  writeFileSync(file, JSON.stringify({ socket: join(folder, 'door'), ...of }))
  return file
}

test('a lab is up where its process is the one that has opened its door', () => {
  const { pid } = process
  expect(labThatIsUp(doorFile({ pid, begun: processBegun(pid) }))).toBe(pid)
})

test('a process that has the pid of a lab that was killed is no lab', () => {
  expect(labThatIsUp(doorFile({ pid: process.pid, begun: '1' }))).toBe(undefined)
})

test('no lab is up where its process is gone, or where nobody has opened a door', () => {
  expect(labThatIsUp(doorFile({ pid: 2 ** 30, begun: '1' }))).toBe(undefined)
  expect(labThatIsUp(join(folder, 'none.json'))).toBe(undefined)
})
