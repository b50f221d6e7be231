import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CloudWatchClient,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch'
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { createAlarms } from '../../functions/aws/alarms.ts'
import { createWorkflows, executionName } from '../../functions/aws/workflows.ts'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import type { Emulator } from '../../lab/emulator/emulator.ts'
import { defaultEmulator, prepareEmulator } from '../../lab/emulator/emulators.ts'
import { waitFor } from '../../lab/scenarios/stage.ts'
import { alarmsContract } from '../port-contracts/alarms.ts'
import { workflowsContract } from '../port-contracts/workflows.ts'

/** Waits as long as its input says, and has succeeded then. */
const definition = {
  StartAt: 'Wait',
  States: { Wait: { Type: 'Wait', SecondsPath: '$.waitSeconds', Next: 'Done' }, Done: { Type: 'Succeed' } },
}
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const runDir = mkdtempSync(join(tmpdir(), 'sweep-ports-'))
let emulator: Emulator
let sfn: SFNClient
let cloudWatch: CloudWatchClient
let stateMachineArn: string

beforeAll(async () => {
  const start = await prepareEmulator(defaultEmulator(), console.log)
  emulator = await start({ runDir })
  sfn = new SFNClient(emulator.client)
  cloudWatch = new CloudWatchClient(emulator.client)
  const created = await sfn.send(
    new CreateStateMachineCommand({
      name: 'waits',
      definition: JSON.stringify(definition),
      roleArn: `arn:aws:iam::${emulator.accountId}:role/waits`,
    }),
  )
  stateMachineArn = created.stateMachineArn ?? ''
})
afterAll(async () => {
  sfn?.destroy()
  cloudWatch?.destroy()
  await emulator?.stop()
  rmSync(runDir, { recursive: true, force: true })
})

const workflows = () => createWorkflows({ client: sfn, stateMachineArn, hash })
let last = 0

async function execution(that: 'runs' | 'has failed' | 'has succeeded'): Promise<WorkflowPayload> {
  last += 1
  const payload: WorkflowPayload = {
    drainId: `lifecycle/i-${last}/drain-calls`,
    attempt: 1,
    next: 'observe',
    waitSeconds: that === 'has succeeded' ? 1 : 600,
    retrySeconds: 60,
  }
  await workflows().start(payload)
  const name = executionName(payload.drainId, 1, hash)
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
  if (that === 'has failed') await sfn.send(new StopExecutionCommand({ executionArn }))
  const statusOf = async () => (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status
  const wanted = { runs: 'RUNNING', 'has failed': 'ABORTED', 'has succeeded': 'SUCCEEDED' }[that]
  expect(await waitFor(20_000, async () => (await statusOf()) === wanted)).toBe(true)
  return payload
}

describe('Step Functions', () => {
  workflowsContract(() => ({ port: workflows(), execution }))

  afterAll(async () => {
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    )
    for (const { executionArn } of executions) await sfn.send(new StopExecutionCommand({ executionArn }))
  })
})

async function show(name: string, kind: 'metric' | 'composite', value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA') {
  const metric = (AlarmName: string) =>
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: 'AWS/EC2',
      MetricName: 'CPUUtilization',
      Statistic: 'Average',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 90,
      ComparisonOperator: 'GreaterThanThreshold',
    })
  if (kind === 'metric') await cloudWatch.send(metric(name))
  else {
    await cloudWatch.send(metric(`below ${name}`))
    await cloudWatch.send(
      new PutCompositeAlarmCommand({ AlarmName: name, AlarmRule: `ALARM("below ${name}")` }),
    )
  }
  const AlarmName = kind === 'metric' ? name : `below ${name}`
  await cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: value, StateReason: 'a test' }))
}

describe('CloudWatch', () => {
  alarmsContract(() => ({ port: createAlarms(cloudWatch), show }))
})
