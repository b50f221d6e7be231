import * as z from 'zod'
import { isLimitEvaded, isPlanEvaded } from '../control/sender.ts'
import { plainName } from './texts.ts'

/** Who may send commands, and what it is called in holds and events. */
const sender = z
  .strictObject({
    /** the SQS `SenderId`: a user's id, or a role's, of any session or with `:` and the name of one */
    id: z
      .string()
      .regex(
        /^(?!arn:)\S+$/,
        "must be IAM's unique id, not an ARN: AIDA… of a user, AROA… of a role or AROA…:session",
      ),
    name: plainName(256),
    /** an agent, say: its drains and activates are refused without a plan, what touches others' always */
    needsPlan: z.boolean().exactOptional(),
    /** what it may do besides, without a plan */
    mayAlso: z.array(z.enum(['reload', 'freeze'])).exactOptional(),
  })
  .refine(({ needsPlan, mayAlso }) => needsPlan === true || mayAlso === undefined, {
    path: ['mayAlso'],
    error: 'is only for a sender with "needsPlan": true; any other may do it anyway',
  })

/** What whoever assumes a role would have by choosing the name of its session. */
const evasions = [
  {
    field: 'needsPlan',
    isEvaded: isPlanEvaded,
    message:
      'binds nobody: its role is listed without it, for all sessions or another, and whoever assumes a role chooses the session: give the agent a role of its own, or all entries of this role "needsPlan": true',
  },
  {
    field: 'mayAlso',
    isEvaded: isLimitEvaded,
    message:
      'has more than another entry of its role, and whoever assumes a role chooses the session: give all entries of this role the same "mayAlso", or the agent a role of its own',
  },
]

/** The commands of every other sender are refused. */
export const senders = z
  .array(sender)
  .min(1, 'must name a sender: left out, whomever IAM lets send may command')
  .superRefine((known, context) => {
    for (const [index, one] of known.entries()) {
      for (const { field, isEvaded, message } of evasions)
        if (isEvaded(one, known)) context.addIssue({ code: 'custom', path: [index, field], message })
    }
  })
