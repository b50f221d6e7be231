import * as z from 'zod'
import { type DestinationUri, destinationUri, type ListedDestination } from '../control/destination.ts'

/** One target of `dispatcher.list`. `load` is `RUNTIME.DLGLOAD`, there only with `ds_hash_size` > 0. */
export interface ListedTarget {
  readonly destination: ListedDestination
  readonly load?: number
}

const uri = z.string().transform((text, context): DestinationUri => {
  const found = destinationUri(text)
  if (found !== undefined) return found
  context.addIssue({ code: 'custom', message: `"${text.slice(0, 100)}" is not a SIP URI` })
  return z.NEVER
})

/** `AX`, `DX`, `IP`, …: state, then probing. */
const flags = z.templateLiteral([z.enum(['A', 'I', 'D', 'T']), z.enum(['P', 'N', 'X'])])

const target = z.object({
  DEST: z.object({
    URI: uri,
    FLAGS: flags,
    /** 6.x */
    IUID: z.string().min(1).optional(),
    /** only where the entry has attributes */
    ATTRS: z.object({ DUID: z.string().nullish() }).optional(),
    RUNTIME: z.object({ DLGLOAD: z.int().min(0).optional() }).optional(),
  }),
})

/**
 * Result of `dispatcher.list`, 5.6 and 6.1, in the order listed (which is not stable). One entry that can't be read makes the
 * whole list malformed: leaving it out would say that the edge does not have it.
 * ```
 * {"NRSETS":1,"RECORDS":[{"SET":{"ID":1,"TARGETS":[{"DEST":{"IDX":0,"URI":"sip:10.0.1.20:5060","FLAGS":"AX","PRIORITY":0,
 *   "IUID":"dspt-6b034dae-5f58-1-1","ATTRS":{"BODY":"duid=ms-a","DUID":"ms-a",…},"RUNTIME":{"DLGLOAD":0}}}]}}]}
 * ```
 */
export const dispatcherList = z
  .object({
    RECORDS: z.array(z.object({ SET: z.object({ ID: z.int().min(0), TARGETS: z.array(target) }) })),
  })
  .transform(({ RECORDS }): readonly ListedTarget[] =>
    RECORDS.flatMap(({ SET }) =>
      SET.TARGETS.map(({ DEST }) => ({
        destination: {
          group: SET.ID,
          uri: DEST.URI,
          flags: DEST.FLAGS,
          ...(DEST.ATTRS?.DUID && { duid: DEST.ATTRS.DUID }),
          ...(DEST.IUID && { iuid: DEST.IUID }),
        },
        ...(DEST.RUNTIME?.DLGLOAD !== undefined && { load: DEST.RUNTIME.DLGLOAD }),
      })),
    ),
  )
