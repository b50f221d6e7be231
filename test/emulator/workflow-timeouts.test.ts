import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SFNClient } from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Emulator } from '../../lab/emulator/emulator.ts'
import { startLocalStack } from '../../lab/emulator/localstack.ts'
import { localStackProgram } from '../../lab/programs/localstack-program.ts'
import { createDrainWorkflow, executed } from '../workflow/execution.ts'
import {
  histories,
  interpreted,
  payloadOf,
  type Seen,
  type StepResult,
  stepNames,
  steps,
  type WorkflowHistory,
} from '../workflow/histories.ts'

describe('the deployed workflow on LocalStack, tasks mocked', () => {
  const name = 'drain-workflow'
  const runDir = mkdtempSync(join(tmpdir(), 'workflow-timeouts-'))
  const seen = new Map<string, Promise<Seen>>()
  let emulator: Emulator
  let sfn: SFNClient

  beforeAll(async () => {
    const localstack = await localStackProgram(console.log)
    const mockedTasks = join(runDir, 'mocked-tasks.json')
    writeFileSync(mockedTasks, JSON.stringify(mocks(name)))
    emulator = await startLocalStack({ localstack, runDir, mockedTasks })
    sfn = new SFNClient(emulator.client)
    const arn = await createDrainWorkflow(
      sfn,
      name,
      (step) => `arn:aws:lambda:eu-central-1:123456789012:function:${step}`,
    )
    // Side by side: each of them waits for seconds.
    for (const history of histories) seen.set(history.name, executed(sfn, `${arn}#${history.name}`, history))
    await Promise.allSettled(seen.values())
  })
  afterAll(async () => {
    sfn?.destroy()
    await emulator?.stop()
    rmSync(runDir, { recursive: true, force: true })
  })

  test.each(histories)('goes where the interpreter goes: $name', async (history) => {
    expect(await seen.get(history.name)).toEqual(await interpreted(history))
  })
})

/** Step Functions' own format of mocked task results, one test case for each history. */
function mocks(stateMachine: string) {
  const named = histories.flatMap((history) =>
    stepNames.map((step) => ({ history, step, results: history.results[step] ?? [], state: steps[step] })),
  )
  const used = named.filter(({ results }) => results.length > 0)
  const cases = histories.map(
    ({ name }) =>
      [
        name,
        Object.fromEntries(
          used.filter(({ history }) => history.name === name).map(({ state }) => [state, `${name}${state}`]),
        ),
      ] as const,
  )
  return {
    StateMachines: { [stateMachine]: { TestCases: Object.fromEntries(cases) } },
    MockedResponses: Object.fromEntries(
      used.map(({ history, state, results }) => [`${history.name}${state}`, responses(history, results)]),
    ),
  }
}

/** The last answer stands for all later calls. */
function responses(history: WorkflowHistory, results: readonly StepResult[]) {
  return Object.fromEntries(
    results.map((result, call) => [
      call === results.length - 1 ? `${call}-${call + 999}` : `${call}`,
      'error' in result
        ? { Throw: { Error: result.error, Cause: 'planted' } }
        : { Return: { StatusCode: 200, Payload: payloadOf(history, result) } },
    ]),
  )
}
