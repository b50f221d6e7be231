import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { eventDetails } from '../functions/contracts/events.ts'
import { type EventType, eventTypes } from '../functions/contracts/names.ts'

const folder = resolve(import.meta.dirname, '..', 'events', 'schemas')

/** The name of an event type's files, its sample's and its schema's. */
export function eventFile(type: EventType): string {
  return `${type.toLowerCase().replaceAll(' ', '-')}.json`
}

/**
 * The detail of one event type as JSON Schema, for whoever subscribes to the bus. It allows fields that it
 * does not name: a release that adds one keeps the version.
 */
export function eventSchema(type: EventType): string {
  const schema = z.toJSONSchema(eventDetails[type], {
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      // What every number of JSON is to JavaScript says nothing of the event.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  const { $schema, ...rest } = schema
  return `${JSON.stringify({ $schema, title: type, ...rest }, undefined, 2)}\n`
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const type of Object.values(eventTypes))
    writeFileSync(join(folder, eventFile(type)), eventSchema(type))
}
