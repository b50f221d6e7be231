import * as z from 'zod'
import { isoTime } from '../desk/times.ts'

/** One's own hold that a drain takes the place of, or whosever freeze another one. */
export const replacedForm = z.object({
  ...{ why: z.string(), since: z.number(), endsAt: z.number().optional() },
  /** of a freeze */
  ...{ who: z.string().optional(), until: z.number().optional() },
})

/** Its end comes no more. */
export function replacedWords({
  why,
  since,
  endsAt,
  who,
  until: thaws,
}: z.output<typeof replacedForm>): string {
  if (who !== undefined) {
    const until = thaws === undefined ? 'unfreeze' : isoTime(thaws)
    return `in the place of the freeze of ${who} since ${isoTime(since)}, until ${until}: ${why}`
  }
  const until = endsAt === undefined ? 'lifted' : isoTime(endsAt)
  return `in the place of your own hold since ${isoTime(since)}, until ${until}: ${why}`
}
