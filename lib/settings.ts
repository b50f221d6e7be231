import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type Settings, settings } from '../functions/contracts/settings.ts'

/**
 * Reads and checks the settings file.
 * @throws Error with the file and every problem in it.
 */
export function readSettings(path: string): Settings {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(
      `can't read the settings file ${path} (another one is chosen with: -c config=path/to.json): ${String(error)}`,
      { cause: error },
    )
  }
  const parsed = settings.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Error(`the settings in ${path} are wrong:\n${z.prettifyError(parsed.error)}`)
}
