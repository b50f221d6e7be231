import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetExecutionHistoryCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn'
import type { World } from './world.ts'
import { output } from './world-aws.ts'

/**
 * Writes what the drain workflows ran into to `<runDir>/workflows.log`: one line per execution, and per step
 * that failed.
 */
export async function writeWorkflowLog(world: World): Promise<string> {
  const sfn = new SFNClient(world.emulator.client)
  const file = join(world.runDir, 'workflows.log')
  try {
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: output(world.outputs, 'StateMachineArn') }),
    )
    const lines: string[] = []
    for (const { executionArn, name, status } of executions) {
      const { events = [] } = await sfn.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      )
      lines.push(`${name}: ${status}, ${events.length} history events`)
      for (const { timestamp, type, ...details } of events)
        if (/Failed|TimedOut|Aborted/.test(type ?? ''))
          lines.push(`  ${timestamp?.toISOString()} ${type} ${JSON.stringify(details)}`)
    }
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  } finally {
    sfn.destroy()
  }
}
