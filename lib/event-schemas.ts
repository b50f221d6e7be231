import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { eventSchema } from '../functions/contracts/json-schema.ts'
import { type EventType, eventTypes } from '../functions/contracts/names.ts'

const folder = resolve(import.meta.dirname, '..', 'events', 'schemas')

/** The name of an event type's files, its sample's and its schema's. */
export function eventFile(type: EventType): string {
  return `${type.toLowerCase().replaceAll(' ', '-')}.json`
}

/** The JSON Schema of one event type's detail, as its file has it. */
export function schemaFile(type: EventType): string {
  return `${JSON.stringify(eventSchema(type), undefined, 2)}\n`
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const type of Object.values(eventTypes)) writeFileSync(join(folder, eventFile(type)), schemaFile(type))
}
