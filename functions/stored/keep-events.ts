import { metricNames } from '../contracts/names.ts'
import { type PublishedEvent, publishedForm } from '../contracts/published-event.ts'
import { DispatcherControlError, UnexpectedAnswer } from '../control/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventBus } from '../ports/event-bus.ts'
import type { Events, KeptEvent } from '../ports/events.ts'
import type { Ids } from '../ports/ids.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'

/** In one go; what is left comes a minute later. */
const publishedAtOnce = 500

interface Needs {
  readonly bus: EventBus
  readonly store: Pick<Store, 'keepEvent' | 'keptEvents' | 'dropKeptEvent'>
  readonly clock: Clock
  readonly ids: Ids
  readonly metrics: Metrics
}

/**
 * Events that decide nothing: one that the bus refuses is kept in the store, and published when the bus takes
 * events again. One that can be neither published nor kept is lost and counted: it delays no heartbeat,
 * verdict or deadline.
 */
export function keepingEvents({ bus, store, clock, ids, metrics }: Needs): Events {
  const kept = (event: PublishedEvent, reason: string): KeptEvent => ({
    id: ids.next(),
    at: clock.now(),
    event: publishedForm(event),
    reason: reason.slice(0, 1000),
  })
  const keep = async (event: PublishedEvent, reason: string) => store.keepEvent(kept(event, reason))
  return {
    async publish(event) {
      try {
        await bus.publish(publishedForm(event))
      } catch (error) {
        metrics.count(metricNames.eventsRefused, 1)
        await keep(event, reasonOf(error)).catch(() => metrics.count(metricNames.eventsLost, 1))
      }
    },
    async publishWith(event, write) {
      const saved = kept(event, 'its run has not published it, or the bus has refused it')
      if (!(await write(saved))) return false
      try {
        await bus.publish(saved.event)
      } catch {
        metrics.count(metricNames.eventsRefused, 1)
        return true
      }
      // One that stays is published twice.
      await store.dropKeptEvent(saved).catch(() => undefined)
      return true
    },
    async offer(event) {
      try {
        await bus.publish(publishedForm(event))
        return true
      } catch (error) {
        metrics.count(metricNames.eventsRefused, 1)
        if (!isPermanent(error)) return false
        await keep(event, reasonOf(error))
        return true
      }
    },
    keep: (event) => keep(event, 'the bus has refused it, or one before it, and its drain has ended'),
    async publishKept() {
      const { events, unread } = await store.keptEvents(publishedAtOnce)
      for (const kept of events) if (!(await publishKeptEvent(bus, store, kept))) break
      if (unread.length > 0) throw new UnexpectedAnswer(unread.join('; '))
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isPermanent(error: unknown): boolean {
  return error instanceof DispatcherControlError && error.permanent
}

/**
 * @returns false where the bus takes nothing: the next minute tries again. One that it never takes stays
 * alone.
 */
async function publishKeptEvent(bus: EventBus, store: Needs['store'], kept: KeptEvent): Promise<boolean> {
  try {
    const { type, detail } = kept.event
    await bus.publish({ type, detail: { happenedAt: kept.at, ...detail } })
  } catch (error) {
    // It stays kept, with the reason of its first refusal; the alarm on refused events is raised already.
    return isPermanent(error)
  }
  await store.dropKeptEvent(kept)
  return true
}
