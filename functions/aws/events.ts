import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { eventSource } from '../contracts/names.ts'
import { DispatcherControlError } from '../control/errors.ts'
import type { EventBus } from '../ports/event-bus.ts'

/** EventBridge refused the event; the message has the reason. */
export class EventRefused extends DispatcherControlError {
  override readonly name = 'EventRefused'
  readonly permanent: boolean
  constructor(message: string, permanent: boolean) {
    super(message)
    this.permanent = permanent
  }
}

/** What is wrong with the event itself, its size for example, and will be the next time. */
const permanentCodes: readonly unknown[] = ['ValidationException', 'InvalidArgument', 'MalformedDetail']

export function createEvents(client: EventBridgeClient, eventBus: string): EventBus {
  return {
    async publish({ type, detail }) {
      const command = new PutEventsCommand({
        Entries: [
          { EventBusName: eventBus, Source: eventSource, DetailType: type, Detail: JSON.stringify(detail) },
        ],
      })
      const answer = await client.send(command).catch((error: unknown) => {
        if (error instanceof Error && permanentCodes.includes(error.name))
          throw new EventRefused(`${type}: ${error.name}: ${error.message}`, true)
        throw error
      })
      const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined)
      // PutEvents answers 200 when it refuses an entry.
      if (refused || (answer.FailedEntryCount ?? 0) > 0)
        throw new EventRefused(
          `${type}: ${refused?.ErrorCode}: ${refused?.ErrorMessage}`,
          permanentCodes.includes(refused?.ErrorCode),
        )
    },
  }
}
