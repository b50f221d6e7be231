import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const recording = z.object({
  name: z.string(),
  request: z.string(),
  response: z.object({ status: z.int(), reason: z.string(), body: z.string() }).nullable(),
})
export type Recording = z.output<typeof recording>

export const releases = ['6.1.5', '5.6.3'] as const

/** What real Kamailio of that release answered; see `test/recordings/README.md`. */
export function recordingsOf(release: (typeof releases)[number]): readonly Recording[] {
  const file = join(import.meta.dirname, `../recordings/kamailio-${release}.json`)
  return z.array(recording).parse(JSON.parse(readFileSync(file, 'utf8')))
}
