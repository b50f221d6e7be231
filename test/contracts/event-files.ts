import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const directory = join(import.meta.dirname, '../../events')

/** Names, without `.json`, of the files in events/ or in a folder of it. */
export function eventNames(folder = ''): string[] {
  return readdirSync(join(directory, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/\.json$/, ''))
    .sort()
}

/** The text of one file, as a queue message's body. */
export function eventBody(name: string): string {
  return readFileSync(join(directory, `${name}.json`), 'utf8')
}

/** The text of one file, with fields replaced at any depth */
export function message(name: string, changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify(JSON.parse(eventBody(name)), (key, value: unknown) =>
    Object.hasOwn(changes, key) ? changes[key] : value,
  )
}
