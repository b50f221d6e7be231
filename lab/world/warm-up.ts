import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import type { Emulator } from '../emulator/emulator.ts'
import { serverGroup } from '../plan/fleet-plan.ts'
import { output } from './world-aws.ts'

/** How many at once; the emulator starts one worker for each. */
const atOnce = { look: 12, settle: 10, testNotifications: 6 } as const
const timeoutMs = 60_000

/**
 * Has the functions started before the first trigger, as those of a fleet in use are: a dozen cold starts at
 * once, which AWS spreads over its machines, would take this one longer than the hook's heartbeat timeout.
 * Asks for nothing that is real: a drain that nobody knows, of a lifecycle action that is over, and the test
 * notification that Auto Scaling sends itself.
 */
export async function warmUp(emulator: Emulator, outputs: Readonly<Record<string, string>>): Promise<void> {
  const sfn = new SFNClient(emulator.client)
  const sqs = new SQSClient(emulator.client)
  const lambda = new LambdaClient(emulator.client)
  try {
    const settle = await settleFunction(lambda)
    await Promise.all([
      ...Array.from({ length: atOnce.look }, () => runUnknownDrain(sfn, outputs)),
      ...Array.from({ length: atOnce.settle }, () =>
        lambda.send(new InvokeCommand({ FunctionName: settle, Payload: JSON.stringify({ kind: 'settle' }) })),
      ),
      ...Array.from({ length: atOnce.testNotifications }, () =>
        sqs.send(
          new SendMessageCommand({
            QueueUrl: output(outputs, 'LifecycleEventQueueUrl'),
            MessageBody: JSON.stringify({ Event: 'autoscaling:TEST_NOTIFICATION' }),
          }),
        ),
      ),
    ])
  } finally {
    sfn.destroy()
    sqs.destroy()
    lambda.destroy()
  }
}

async function settleFunction(lambda: LambdaClient): Promise<string> {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}))
  const name = Functions.find(({ FunctionName }) => FunctionName?.includes('Settle'))?.FunctionName
  if (name === undefined) throw new Error('the deployed app has no settle function')
  return name
}

async function runUnknownDrain(sfn: SFNClient, outputs: Readonly<Record<string, string>>): Promise<void> {
  const name = `warm-up-${randomUUID()}`
  const input: WorkflowPayload = {
    drainId: name,
    attempt: 1,
    next: 'observe',
    waitSeconds: 1,
    retrySeconds: 3600,
    // A record that is missing ends nothing, unless its action is over.
    action: { group: serverGroup, hook: 'drain-calls', instanceId: 'i-00000000000000000' },
  }
  const stateMachineArn = output(outputs, 'StateMachineArn')
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
  )
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
    if (status === 'SUCCEEDED') return
    if (status !== 'RUNNING')
      throw new Error(`the deployed workflow is ${status} for a drain that nobody knows`)
    await sleep(200)
  }
  throw new Error(`the deployed workflow took more than ${timeoutMs / 1000} s for a drain that nobody knows`)
}
