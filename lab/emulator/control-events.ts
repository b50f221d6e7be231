import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { eventSource } from '../../functions/contracts/names.ts'
import type { Emulator } from './emulator.ts'

const envelope = z.object({
  id: z.string(),
  time: z.string(),
  'detail-type': z.string(),
  detail: z.looseObject({
    instanceId: z.string().optional(),
    uris: z.array(z.string()).optional(),
    destinations: z.array(z.string()).optional(),
    callsLeft: z.number().optional(),
    verdict: z.string().optional(),
    /** why calls are not known */
    unknown: z.array(z.string()).optional(),
    id: z.string().optional(),
    drainId: z.string().optional(),
    because: z.string().optional(),
  }),
})

/**
 * One event that our functions published. For show, and for what only they can show; the referee judges
 * without it.
 */
export interface ControlEvent {
  readonly type: string
  /** Unix ms at which the lab received it */
  readonly at: number
  readonly detail: z.output<typeof envelope>['detail']
}

export interface ControlEventLog {
  readonly all: () => readonly ControlEvent[]
  /** The last one about an instance or a destination. */
  readonly lastAbout: (instanceId: string, uri: string) => ControlEvent | undefined
  readonly close: () => Promise<void>
}

/** Reads the app's own event bus through a rule and a queue of the lab's, as any subscriber would. */
export async function followControlEvents(emulator: Emulator, busName: string): Promise<ControlEventLog> {
  const sqs = new SQSClient(emulator.client)
  const queueUrl = await subscribe(emulator, sqs, busName)
  const events: ControlEvent[] = []
  const abort = new AbortController()
  const failures: unknown[] = []
  const reading = (async () => {
    while (!abort.signal.aborted) await receive(sqs, queueUrl, abort.signal, events)
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) failures.push(error)
  })
  return {
    all: () => events,
    lastAbout: (instanceId, uri) =>
      events.findLast(
        ({ detail }) =>
          detail.instanceId === instanceId ||
          detail.uris?.includes(uri) === true ||
          detail.destinations?.includes(uri) === true,
      ),
    close: async () => {
      abort.abort()
      await reading
      sqs.destroy()
      if (failures.length > 0) throw new AggregateError(failures, 'the events of the app could not be read')
    },
  }
}

async function subscribe(emulator: Emulator, sqs: SQSClient, busName: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'lab-control-events' }))
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  )
  const eventBridge = new EventBridgeClient(emulator.client)
  await eventBridge.send(
    new PutRuleCommand({
      Name: 'lab-control-events',
      EventBusName: busName,
      EventPattern: JSON.stringify({ source: [eventSource] }),
    }),
  )
  await eventBridge.send(
    new PutTargetsCommand({
      Rule: 'lab-control-events',
      EventBusName: busName,
      Targets: [{ Id: 'lab', Arn: Attributes?.['QueueArn'] ?? '' }],
    }),
  )
  eventBridge.destroy()
  return QueueUrl
}

async function receive(
  sqs: SQSClient,
  queueUrl: string,
  signal: AbortSignal,
  events: ControlEvent[],
): Promise<void> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }),
    { abortSignal: signal },
  )
  if (Messages.length === 0) return
  for (const { Body = '' } of Messages) {
    const { 'detail-type': type, detail } = envelope.parse(JSON.parse(Body))
    events.push({ type, at: Date.now(), detail })
  }
  await sqs.send(
    new DeleteMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle })),
    }),
  )
}
