import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda'
import { SFNClient } from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Emulator } from '../../lab/emulator/emulator.ts'
import { defaultEmulator, prepareEmulator } from '../../lab/emulator/emulators.ts'
import { createDrainWorkflow, executed } from '../workflow/execution.ts'
import {
  histories,
  interpreted,
  payloadOf,
  type Seen,
  type Step,
  stepNames,
  type WorkflowHistory,
} from '../workflow/histories.ts'
import { storedZip } from './stored-zip.ts'

/**
 * Stands for each step: answers as its history says, call by call. The count is in a file, as a failure ends
 * its process.
 */
const standIn = `
import { appendFileSync, readFileSync } from 'node:fs'
export const handler = async ({ drainId }) => {
  const { FOLDER, STEP } = process.env
  const results = JSON.parse(readFileSync(\`\${FOLDER}/\${drainId}.json\`, 'utf8'))[STEP]
  const calls = \`\${FOLDER}/\${drainId}.\${STEP}\`
  appendFileSync(calls, '.')
  const result = results[Math.min(readFileSync(calls).length, results.length) - 1]
  if (result.error) throw Object.assign(new Error('planted'), { name: result.error })
  return result
}
`

const thrown = histories.filter(({ needsMockedTasks }) => needsMockedTasks !== true)
const runDir = mkdtempSync(join(tmpdir(), 'workflow-agreement-'))
const seen = new Map<string, Promise<Seen>>()
let emulator: Emulator
let sfn: SFNClient

beforeAll(async () => {
  const start = await prepareEmulator(defaultEmulator(), console.log)
  emulator = await start({ runDir })
  const folder = join(runDir, 'histories')
  mkdirSync(folder)
  for (const history of thrown)
    writeFileSync(join(folder, `${history.name}.json`), JSON.stringify(answers(history)))
  const arns = await createFunctions(storedZip('index.mjs', standIn), folder)
  sfn = new SFNClient(emulator.client)
  const arn = await createDrainWorkflow(sfn, 'drain-workflow', (step) => arns.get(step) ?? '')
  // Side by side: each of them waits for seconds.
  for (const history of thrown) seen.set(history.name, executed(sfn, arn, history))
  await Promise.allSettled(seen.values())
})
afterAll(async () => {
  sfn?.destroy()
  await emulator?.stop()
  rmSync(runDir, { recursive: true, force: true })
})

test.each(thrown)('the workflow goes where the interpreter goes: $name', async (history) => {
  expect(await seen.get(history.name)).toEqual(await interpreted(history))
})

function answers(history: WorkflowHistory) {
  return Object.fromEntries(
    stepNames.map((step) => [
      step,
      (history.results[step] ?? []).map((result) =>
        'error' in result ? result : payloadOf(history, result),
      ),
    ]),
  )
}

async function createFunctions(code: Uint8Array, folder: string): Promise<Map<Step, string>> {
  const lambda = new LambdaClient(emulator.client)
  try {
    const arns = stepNames.map(async (step) => {
      const { FunctionArn = '' } = await lambda.send(
        new CreateFunctionCommand({
          FunctionName: step,
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: `arn:aws:iam::${emulator.accountId}:role/step`,
          Code: { ZipFile: code },
          Timeout: 60,
          Environment: { Variables: { STEP: step, FOLDER: folder } },
        }),
      )
      await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: step })
      return [step, FunctionArn] as const
    })
    return new Map(await Promise.all(arns))
  } finally {
    lambda.destroy()
  }
}
