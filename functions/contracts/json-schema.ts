import * as z from 'zod'
import { command } from './command.ts'
import { eventDetails } from './events.ts'
import type { EventType } from './names.ts'
import { settings } from './settings.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The detail of one event type, for whoever subscribes to the bus. It allows fields that it does not name: a
 * release that adds one keeps the version.
 */
export function eventSchema(type: EventType): JsonSchema {
  return titled(type, eventDetails[type], 'output', ({ jsonSchema }) => {
    if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  })
}

/** The body of a command's message, as it is sent. */
export function commandSchema(): JsonSchema {
  return titled('A command of the dispatcher control', command, 'input')
}

/** The settings file. What one setting asks of another is checked at synth alone. */
export function settingsSchema(): JsonSchema {
  return titled('Settings of the dispatcher control', settings, 'input')
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>

function titled(title: string, form: z.ZodType, io: 'input' | 'output', more?: Override): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(form, {
    io,
    override: (context) => {
      const { jsonSchema } = context
      more?.(context)
      // What every number of JSON is to JavaScript says nothing of it.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  return { $schema, title, ...rest }
}
