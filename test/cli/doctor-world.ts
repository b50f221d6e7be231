import * as z from 'zod'
import type { Deployed } from '../../cli/desk/desk.ts'
import type { Finding } from '../../cli/doctor/finding.ts'
import type { EdgeDescription } from '../../functions/control/edge-facts.ts'
import { type Listing, type Reading, readable } from '../../functions/control/reading.ts'
import type { WorldOptions } from '../world/world.ts'
import { kdcWorld, type Printed } from './kdc-world.ts'

const diagnosis = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      severity: z.enum(['error', 'warning']),
      on: z.string(),
      what: z.string(),
      mend: z.string(),
    }),
  ),
})

export const elsewhere = '--stack voice --region eu-west-1 --profile voice'

/** A world in which nothing is wrong, until a test plants something. */
export function doctorWorld(options: WorldOptions = {}) {
  const { kdc, world, around } = kdcWorld(options)
  /** What edge-a shows otherwise than a whole edge does. */
  const planted: {
    facts: Partial<EdgeDescription>
    reading: Partial<Reading>
    listing: Partial<Listing>
  } = { facts: {}, reading: {}, listing: {} }
  const { store } = world.memory
  const shelf: Deployed['shelf'] = {
    ...store,
    async reading(edge) {
      const found = readable(await store.reading(edge))
      if (!found) return undefined
      const sound = { ...found.description, longestCallSeconds: 7200 }
      if (edge !== 'edge-a') return { ...found, description: sound }
      return { ...found, ...planted.reading, description: { ...sound, ...planted.facts } }
    },
    async listing(edge) {
      const found = readable(await store.listing(edge))
      return found && edge === 'edge-a' ? { ...found, ...planted.listing } : found
    },
  }
  const printed = (words: string, deployed: Partial<Deployed> = {}): Promise<Printed> =>
    kdc(words, { deployed: { shelf, ...deployed } })
  /** What `kdc doctor` finds in a deployment that is not the default one. */
  async function found(deployed: Partial<Deployed> = {}): Promise<{
    readonly code: number
    readonly findings: readonly Finding[]
  }> {
    const { code, out } = await printed(`${elsewhere} doctor -o json`, deployed)
    return { code, findings: diagnosis.parse(JSON.parse(out)).findings }
  }
  return { world, kdc, around, planted, shelf, printed, found }
}
export type DoctorWorld = ReturnType<typeof doctorWorld>
