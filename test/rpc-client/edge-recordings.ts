import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { HttpReply } from '../../functions/contracts/rpc.ts'

const recording = z.strictObject({
  name: z.string(),
  note: z.string().optional(),
  request: z.string(),
  generation: z.string().optional(),
  response: z.object({
    status: z.int(),
    reason: z.string(),
    headers: z.strictObject({
      'x-dc-boot': z.string().optional(),
      'content-type': z.string().optional(),
    }),
    body: z.string(),
  }),
})
export type EdgeRecording = z.output<typeof recording>

/** The releases that were recorded with our files. */
export const edgeReleases = ['6.1.5', '6.0.1', '5.6.3'] as const
export type EdgeRelease = (typeof edgeReleases)[number]

/**
 * What real Kamailio of that release with our files answered, in the order asked; see
 * `test/recordings/README.md`.
 */
export function edgeRecordingsOf(release: EdgeRelease): readonly EdgeRecording[] {
  const file = join(import.meta.dirname, `../recordings/edge-${release}.json`)
  return z.array(recording).parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** As our transport gives it on. */
export function replyOf({ response }: EdgeRecording): HttpReply {
  const boot = response.headers['x-dc-boot']
  return { status: response.status, body: response.body, ...(boot !== undefined && { boot }) }
}
