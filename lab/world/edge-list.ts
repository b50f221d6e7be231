import { DeleteParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { edgesPath } from '../plan/fleet-plan.ts'
import type { World } from './world.ts'

type Operation = 'Create' | 'Update' | 'Delete'

/** Lists an edge as an operator does: puts its parameter. @param value JSON, or what somebody took for it */
export async function listEdge(
  world: World,
  name: string,
  value: string,
  operation: 'Create' | 'Update',
): Promise<void> {
  const ssm = new SSMClient(world.emulator.client)
  await ssm.send(
    new PutParameterCommand({ Name: `${edgesPath}/${name}`, Value: value, Type: 'String', Overwrite: true }),
  )
  ssm.destroy()
  await sayChanged(world, name, operation)
}

/** Takes an edge off the list. */
export async function unlistEdge(world: World, name: string): Promise<void> {
  const ssm = new SSMClient(world.emulator.client)
  await ssm.send(new DeleteParameterCommand({ Name: `${edgesPath}/${name}` }))
  ssm.destroy()
  await sayChanged(world, name, 'Delete')
}

/**
 * AWS's own event: MiniStack has none, and LocalStack's leaves out the name's first slash, so that no rule
 * with a path fits.
 */
async function sayChanged(world: World, edge: string, operation: Operation): Promise<void> {
  const { region, accountId } = world.emulator
  const name = `${edgesPath}/${edge}`
  world.marks.push({ at: Date.now(), label: `${edge}: ${operation}` })
  await world.publish({
    source: 'aws.ssm',
    detailType: 'Parameter Store Change',
    time: new Date(),
    resources: [`arn:aws:ssm:${region}:${accountId}:parameter${name}`],
    detail: { operation, name, type: 'String' },
  })
}
