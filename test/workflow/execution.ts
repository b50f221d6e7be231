import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  paginateGetExecutionHistory,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { inputOf, type Seen, type Step, stepNames, type WorkflowHistory } from './histories.ts'

const patienceMs = 120_000

/**
 * Creates the drain workflow, the very definition that is deployed, over these functions.
 * @returns its ARN
 */
export async function createDrainWorkflow(
  sfn: SFNClient,
  name: string,
  functionArn: (step: Step) => string,
): Promise<string> {
  const definition = stepNames.reduce(
    (text, step) => text.replaceAll(`\${${step}}`, functionArn(step)),
    JSON.stringify(drainWorkflow),
  )
  const { stateMachineArn = '' } = await sfn.send(
    new CreateStateMachineCommand({
      name,
      definition,
      roleArn: 'arn:aws:iam::123456789012:role/drain-workflow',
    }),
  )
  return stateMachineArn
}

/** Runs one history on an emulator, until it ends or has entered as many states as are to be seen. */
export async function executed(
  sfn: SFNClient,
  stateMachineArn: string,
  history: WorkflowHistory,
): Promise<Seen> {
  const { executionArn = '' } = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn,
      name: `${history.name}-${Date.now()}`,
      input: JSON.stringify(inputOf(history)),
    }),
  )
  const { states: longest = Number.POSITIVE_INFINITY } = history
  const deadline = Date.now() + patienceMs
  for (;;) {
    const { status = '', output } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
    const states = await statesEntered(sfn, executionArn)
    if (status !== 'RUNNING')
      return { status, states, ...(output !== undefined && { output: JSON.parse(output) }) }
    if (states.length > longest || Date.now() > deadline) {
      await sfn.send(new StopExecutionCommand({ executionArn }))
      return { status, states: states.slice(0, longest) }
    }
    await sleep(500)
  }
}

async function statesEntered(client: SFNClient, executionArn: string): Promise<string[]> {
  const states: string[] = []
  for await (const { events = [] } of paginateGetExecutionHistory({ client }, { executionArn }))
    for (const { stateEnteredEventDetails: entered } of events)
      if (entered?.name !== undefined) states.push(entered.name)
  return states
}
