import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { some } from '../present.ts'
import { server } from '../world/world.ts'
import { alice, kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

test.each([
  ['--stack voice --region eu-central-1', 'kdc --stack voice --region eu-central-1'],
  ['--context lab --profile alice', 'kdc --context lab --profile alice'],
  ['', 'kdc'],
])('printed commands are for the deployment that was named: %s', async (place, called) => {
  const { kdc } = kdcWorld()
  const at = { contexts: 'lab: { stack: voice }' }
  const drained = await kdc(`${place} ${drain}`, at)
  expect(drained.out).toContain(`undo: ${called} activate ${server}\n`)
  const { out } = await kdc(`${place} explain ${server}`, at)
  expect(out).toContain(`${called} activate ${server} --hold`)
  const lifted = await kdc(`${place} activate ${server}`, at)
  expect(lifted.out).toContain(`undo: ${called} drain ${server} -m 'disk failing'`)
})

test('what is stopped before it is sent is not sent, and ends with 130', async () => {
  const { kdc, sent } = kdcWorld()
  for (const line of [drain, `activate ${server}`, "freeze -m 'carrier'"]) {
    const stop = new AbortController()
    const caller = async () => {
      stop.abort()
      return alice
    }
    expect(await kdc(line, { stopped: stop.signal, deployed: { caller } })).toMatchObject({
      code: 130,
      err: expect.stringContaining('stopped: nothing was sent'),
    })
    expect(await kdc(line, { stopped: AbortSignal.abort() })).toMatchObject({
      code: 130,
      err: 'kdc: stopped: nothing was changed\n',
    })
  }
  expect(sent).toEqual([])
})

test('every text that names a command of kdc has it as it is called for the deployment', () => {
  const cli = join(import.meta.dirname, '../../cli')
  // What completes a command line is no command to be pasted.
  const sources = globSync('**/*.ts', { cwd: cli }).filter((name) => name !== 'completion.ts')
  const bare =
    /\bkdc (status|get|explain|watch|history|doctor|hooks|drain|activate|may-restart|reload|release|freeze|unfreeze|dlq)\b/
  const found = some(sources).flatMap((name) =>
    readFileSync(join(cli, name), 'utf8')
      .split('\n')
      .filter((line) => bare.test(line) && !/^\s*(\*|\/[*/])/.test(line))
      .map((line) => `${name}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})
