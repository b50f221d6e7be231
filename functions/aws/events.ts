import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { eventSource } from '../contracts/names.ts'
import { DispatcherControlError } from '../control/errors.ts'
import type { EventBus } from '../use-cases/ports.ts'

/** EventBridge took the request and refused the event; the message says why. */
export class EventRefused extends DispatcherControlError {
  override readonly name = 'EventRefused'
  readonly permanent = false
}

export function createEvents(client: EventBridgeClient, eventBus: string): EventBus {
  return {
    async publish({ type, detail }) {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: [
            { EventBusName: eventBus, Source: eventSource, DetailType: type, Detail: JSON.stringify(detail) },
          ],
        }),
      )
      const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined)
      // PutEvents answers 200 when it refuses an entry.
      if (refused || (answer.FailedEntryCount ?? 0) > 0)
        throw new EventRefused(`${type}: ${refused?.ErrorCode}: ${refused?.ErrorMessage}`)
    },
  }
}
