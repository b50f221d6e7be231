import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

/**
 * A rule each, and found within 50 histories. `npm run simulate:put-back` runs the others, which take up to a
 * minute each; here they need only apply.
 */
const early = ['E3', 'E4', 'F3', 'F5', 'M4-no-address', 'R1', 'R3', 'R5', 'R16']

function putBack(args: readonly string[], patches: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'patches-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary)
  for (const [name, patch] of Object.entries(patches)) writeFileSync(join(folder, `${name}.patch`), patch)
  const own = Object.keys(patches).length > 0 ? [`--patches=${folder}`] : []
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'put-back.ts'), ...args, ...own],
    { encoding: 'utf8', env: { ...process.env, TMPDIR: temporary } },
  )
  return { status, stdout, left: readdirSync(temporary) }
}

const patch = (removed: string, added: string) => `A fault.
Broken rule: no call is cut

diff --git a/functions/control/pace.ts b/functions/control/pace.ts
--- a/functions/control/pace.ts
+++ b/functions/control/pace.ts
@@ -11,3 +11,3 @@
 export function heartbeatInterval(heartbeatTimeoutSeconds: number): number {
-${removed}
+${added}
 }
`
const interval = '  return heartbeatTimeoutSeconds / 3'

test('each patch that puts a mended fault back applies', () => {
  const { status, stdout } = putBack(['--apply'])
  expect(stdout).not.toContain('NOT FOUND')
  expect(status).toBe(0)
})

/** Minutes on a busy machine. */
const patience = 240_000

test.each(early)(
  'random histories find %s by its rule where it is put back',
  { timeout: patience },
  (name) => {
    // A second thread would only run what comes after the history that is found.
    const { status, stdout, left } = putBack([name, '--histories=150', '--workers=1'])
    expect(stdout).toContain('found after')
    expect({ status, left }).toEqual({ status: 0, left: [] })
  },
)

test('a patch that does not apply fails and says how to renew it', () => {
  const { status, stdout, left } = putBack([], { X1: patch('  return 4', '  return 5') })
  expect(stdout).toMatch(/^X1 .*does not apply.*To renew it/s)
  expect({ status, left }).toEqual({ status: 1, left: [] })
})

test('a patch that does not compile fails with what the compiler says', () => {
  const { status, stdout, left } = putBack([], { X1: patch(interval, "  return 'soon'") })
  expect(stdout).toMatch(/does not compile.*pace\.ts.*TS2322/s)
  expect({ status, left }).toEqual({ status: 1, left: [] })
})

test('a fault that is not found fails', () => {
  const { status, stdout, left } = putBack(['--histories=1'], {
    X1: patch(interval, `${interval} // as it is`),
  })
  expect(stdout).toContain('no history of 1 breaks "no call is cut"')
  expect({ status, left }).toEqual({ status: 1, left: [] })
})
