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
