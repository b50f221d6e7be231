import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { Settings } from '../../functions/contracts/settings.ts'
import { pythonWith } from '../../lab/programs/python-venv.ts'
import { exampleSettings, exampleTemplate } from '../lib/synthesized.ts'

const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let python: string
beforeAll(async () => {
  python = await pythonWith('cfn-lint', join(import.meta.dirname, 'cfn-lint-requirements.txt'), console.info)
})

/** Its own script names the folder in which its environment was made, before that was put in place. */
const start = 'import sys; from cfnlint.runner import main; sys.exit(main())'

/** W3005: the CDK says again by DependsOn what a reference says already. */
const ignored = ['--ignore-checks', 'W3005']

/** AWS's API has this action, and its list of IAM's has not: docs/prove-on-aws.md. */
const unknownAction = "W3037:'describealarmcontributors' is not one of"

/** What cfn-lint says about a template, one line each. */
async function said(template: unknown): Promise<string> {
  const file = join(folder, 'template.json')
  writeFileSync(file, JSON.stringify(template))
  const args = ['-c', start, '--regions', 'eu-central-1', '--format', 'parseable', ...ignored, '--', file]
  return promisify(execFile)(python, args, { timeout: 240_000 }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error)
      if (stdout === '') throw new Error(`cfn-lint did not run: ${stderr}`, { cause: error })
      return stdout
    },
  )
}

const place = { vpcId: 'vpc-0123456789abcdef0', subnetIds: ['subnet-0123456789abcdef0'] }
const accesses: Settings['edgeAccess'][] = [
  { kind: 'direct', network: { ...place, securityGroupIds: ['sg-0123456789abcdef0'] } },
  { kind: 'vpc-link', ...place, edges: { a: { address: '10.0.0.5', port: 8080 } } },
  { kind: 'relay', ...place, networks: ['10.0.0.0/16'], port: 8080 },
]

test.each(accesses)(
  "cfn-lint has nothing to say about the app's template with edges by $kind",
  async (edgeAccess) => {
    const lines = (await said(exampleTemplate({ ...exampleSettings, edgeAccess }).toJSON())).split('\n')
    expect(lines.filter((line) => line !== '' && !line.includes(unknownAction))).toEqual([])
  },
)

test('a property that does not exist would be found', async () => {
  const Resources = { Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimout: 30 } } }
  expect(await said({ Resources })).toContain('VisibilityTimout')
})
