import * as z from 'zod'
import { canonicalHost, destinationUri, type ListedDestination, sipUri } from '../control/destination.ts'
import type { OpaqueEntry } from '../control/edge-list.ts'

/** One target of `dispatcher.list`. `load` is `RUNTIME.DLGLOAD`, there only with `ds_hash_size` > 0. */
export interface ListedTarget {
  readonly destination: ListedDestination
  readonly load?: number
}

/** All that a list shows. */
export interface ListedTargets {
  readonly targets: readonly ListedTarget[]
  readonly opaque: readonly OpaqueEntry[]
}

/** `AX`, `DX`, `IP`, …: state, then probing. */
const flags = z.templateLiteral([z.enum(['A', 'I', 'D', 'T']), z.enum(['P', 'N', 'X'])])

const uri = z.string().transform((text, context) => {
  const found = destinationUri(text)
  if (found !== undefined) return found
  context.addIssue({ code: 'custom', message: 'is not a SIP URI' })
  return z.NEVER
})

const target = z.object({
  DEST: z.object({
    URI: uri,
    FLAGS: flags,
    /** 6.1 */
    IUID: z.string().min(1).optional(),
    /**
     * only with `["full"]`: what the edge resolved the host to when it loaded the list; empty for SRV and
     * with flag 16
     */
    IPADDR: z.string().optional(),
    /** only where the entry has attributes */
    ATTRS: z.object({ DUID: z.string().nullish() }).optional(),
    RUNTIME: z.object({ DLGLOAD: z.int().min(0).optional() }).optional(),
  }),
})

const setSchema = z.object({ SET: z.object({ ID: z.int().min(0), TARGETS: z.array(z.unknown()) }) })

/**
 * Result of `dispatcher.list`, normal or `["full"]`, of 5.6, 6.0 and 6.1, in the order listed (which is not
 * stable). What can't be read as a destination, such as `sip:10.0.1.20:0`, `tel:…` or flags that nobody knows
 * yet, is an opaque entry. Kamailio takes all of these from a list file and lists them.
 * ```
 * {"NRSETS":1,"RECORDS":[{"SET":{"ID":1,"TARGETS":[{"DEST":{"IDX":0,"URI":"sip:10.0.1.20:5060","FLAGS":"AX","PRIORITY":0,
 *   "IUID":"dspt-6b034dae-5f58-1-1","ATTRS":{"BODY":"duid=ms-a","DUID":"ms-a",…},"RUNTIME":{"DLGLOAD":0}}}]}}]}
 * ```
 */
export const dispatcherList = z
  .object({ RECORDS: z.array(z.unknown()) })
  .transform(({ RECORDS }): ListedTargets => {
    const targets: ListedTarget[] = []
    const opaque: OpaqueEntry[] = []
    for (const record of RECORDS) {
      const found = setSchema.safeParse(record)
      if (!found.success) {
        opaque.push(opaqueOf(record))
        continue
      }
      const { ID, TARGETS } = found.data.SET
      for (const each of TARGETS) {
        const parsed = target.safeParse(each)
        if (parsed.success) targets.push(targetOf(ID, parsed.data))
        else opaque.push({ ...opaqueOf(each), set: ID })
      }
    }
    return { targets, opaque }
  })

function targetOf(set: number, { DEST }: z.output<typeof target>): ListedTarget {
  const address = DEST.IPADDR ? canonicalHost(DEST.IPADDR) : undefined
  return {
    destination: {
      set,
      uri: DEST.URI,
      flags: DEST.FLAGS,
      ...(DEST.ATTRS?.DUID && { duid: DEST.ATTRS.DUID }),
      ...(DEST.IUID && { iuid: DEST.IUID }),
      ...(address !== undefined && address !== sipUri(DEST.URI)?.host && { address }),
    },
    ...(DEST.RUNTIME?.DLGLOAD !== undefined && { load: DEST.RUNTIME.DLGLOAD }),
  }
}

const shown = z.object({
  DEST: z.object({
    URI: z.string(),
    IPADDR: z.string().optional().catch(undefined),
    ATTRS: z.object({ DUID: z.string() }).optional().catch(undefined),
  }),
})

/** Its URI where one can be made out, otherwise all of it: what a person needs to find it. */
function opaqueOf(entry: unknown): OpaqueEntry {
  const named = shown.safeParse(entry)
  if (!named.success) return { text: JSON.stringify(entry ?? null).slice(0, 200) }
  const { URI, IPADDR, ATTRS } = named.data.DEST
  const address = IPADDR ? canonicalHost(IPADDR) : undefined
  return {
    text: URI.slice(0, 200),
    ...(address !== undefined && { address }),
    ...(ATTRS && { duid: ATTRS.DUID.slice(0, 200) }),
  }
}

/** Whether a list has entries whose address only the edge knows. */
export function hasNames({ targets, opaque }: ListedTargets): boolean {
  return (
    targets.some(({ destination }) => isName(sipUri(destination.uri)?.host ?? '')) || opaque.some(mayBeName)
  )
}

/** Letters where a host stands: what can't be read may name one as well. */
function mayBeName({ text }: OpaqueEntry): boolean {
  return isName(/^\s*sips?:(?:[^@]*@)?([^:;?>]*)/i.exec(text)?.[1] ?? '')
}

function isName(host: string): boolean {
  return /[a-z]/i.test(host) && !host.includes(':') && !host.startsWith('[')
}
