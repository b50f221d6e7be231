import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { type CommandInput, commandGroupId } from '../../functions/contracts/command.ts'
import type { ControlEvent } from '../emulator/control-events.ts'
import type { World } from '../world/world.ts'
import { output } from '../world/world-aws.ts'
import { waitFor } from './stage.ts'

/** A message of the commands queue: a command, or what somebody took for one. */
export interface SentCommand {
  readonly id: string
  readonly group: string
  readonly body: string
}

/** @returns a good command, as docs/commands.md has it sent */
export function wellFormed(command: CommandInput): SentCommand {
  return { id: command.id, group: commandGroupId(command), body: JSON.stringify(command) }
}

/** Sends commands in one batch, as an operator's tool would. @throws Error when SQS refuses one */
export async function sendCommands(world: World, commands: readonly SentCommand[]): Promise<void> {
  const sqs = new SQSClient(world.emulator.client)
  for (const { id } of commands) world.commandIds.add(id)
  try {
    const { Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: output(world.outputs, 'CommandQueueUrl'),
        Entries: commands.map(({ id, group, body }, index) => ({
          Id: `${index}`,
          MessageBody: body,
          MessageGroupId: group,
          MessageDeduplicationId: id,
        })),
      }),
    )
    if (Failed.length > 0) throw new Error(`SQS refused a command: ${JSON.stringify(Failed)}`)
  } finally {
    sqs.destroy()
  }
}

const outcome = z.looseObject({
  result: z.string(),
  because: z.string().optional(),
  stillHeld: z.array(z.object({ who: z.string() })).optional(),
})
export type Outcome = z.output<typeof outcome>

const outcomeWithinMs = 90_000

/** Sends a command. @returns its outcome @throws Error when none came */
export async function outcomeOf(world: World, command: CommandInput): Promise<Outcome> {
  await sendCommands(world, [wellFormed(command)])
  let event: ControlEvent | undefined
  await waitFor(outcomeWithinMs, () => {
    event = world.controlEvents
      .all()
      .find(({ type, detail }) => type === 'Command Answered' && detail.id === command.id)
    return event !== undefined
  })
  if (event === undefined) throw new Error(`command ${command.id} was not answered`)
  return outcome.parse(event.detail)
}

/**
 * Takes one message off the commands' dead-letter queue.
 * @returns undefined when none came within `timeoutMs`
 */
export async function takeDeadLetter(
  world: World,
  timeoutMs: number,
): Promise<{ body: string; errorName?: string; errorMessage?: string } | undefined> {
  const sqs = new SQSClient(world.emulator.client)
  const QueueUrl = output(world.outputs, 'CommandDeadLetterQueueUrl')
  const deadline = Date.now() + timeoutMs
  try {
    while (Date.now() < deadline) {
      const { Messages: [message] = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] }),
      )
      if (message === undefined) continue
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
      const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue
      const [errorName, errorMessage] = [attribute('errorName'), attribute('errorMessage')]
      return {
        body: message.Body ?? '',
        ...(errorName !== undefined && { errorName }),
        ...(errorMessage !== undefined && { errorMessage }),
      }
    }
    return undefined
  } finally {
    sqs.destroy()
  }
}
