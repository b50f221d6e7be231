import * as z from 'zod'
import { commandEventDetails } from '../../functions/contracts/command-event.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { refuseUnknown } from '../write/known-target.ts'
import { type Asked, readied, requestedBy, sendCommand } from '../write/send-command.ts'
import { oneOf } from '../write/targets.ts'
import { type Tools, tool } from './mcp-tools.ts'

/** Clients give a tool up after a minute. */
const patienceMs = 45_000
const planSeconds = 120

const target = z.string().describe('a SIP URI, a host with or without its port, or an EC2 instance id')
const reason = z.string().describe('why; kept with the hold and with every change')
const deadlineSeconds = z.int().optional().describe('after that the drain is reported as overdue')
const until = z.iso.datetime({ offset: true }).optional().describe('when its hold is lifted by itself')
const plan = z.string().describe('the plan that the tool plan has returned for exactly these values')
const ofDrain = { target, reason, deadlineSeconds, until }
const ofActivate = { target, reason }

const ofCommand = z.object({ outcome: commandEventDetails['Command Answered'] })

type AskedFor<Command> = Extract<Asked, { readonly command: Command }>
type Drained = z.output<z.ZodObject<typeof ofDrain>>

function drainOf({
  target: name,
  reason: why,
  deadlineSeconds: seconds,
  until: end,
}: Drained): AskedFor<'drain'> {
  return {
    ...{ command: 'drain', ...oneOf(name), reason: why },
    ...(seconds !== undefined && { deadlineSeconds: seconds }),
    ...(end !== undefined && { until: end }),
  }
}

const activateOf = ({
  target: name,
  reason: why,
}: z.output<z.ZodObject<typeof ofActivate>>): AskedFor<'activate'> => ({
  ...{ command: 'activate', ...oneOf(name), reason: why },
})

async function sent({ desk, deployed }: Tools, asked: Asked): Promise<CommandOutcomeRow> {
  const command = readied(desk, asked, await requestedBy(deployed))
  await refuseUnknown(desk, deployed, [command])
  return sendCommand(desk, deployed, command, patienceMs)
}

/** A plan is a dry run. The control plane itself checks what is then sent against it. */
export function addPlan(tools: Tools): void {
  tool(tools, 'plan', {
    description:
      'Shows what a drain or an activate would do on each edge, and changes nothing. Its plan is the token that the tools drain and activate need: good once, for two minutes, for the very same values. Show it to a person before you act on it.',
    input: z
      .strictObject({ command: z.enum(['drain', 'activate']), ...ofDrain })
      .refine((of) => of.command === 'drain' || (of.deadlineSeconds ?? of.until) === undefined, {
        error: 'an activate has neither deadlineSeconds nor until',
      }),
    output: z.object({
      plan: z.string(),
      goodForSeconds: z.int(),
      outcome: commandEventDetails['Command Answered'],
    }),
    async work(asked) {
      const of = asked.command === 'drain' ? drainOf(asked) : activateOf(asked)
      const outcome = await sent(tools, { ...of, dryRun: true })
      return { plan: outcome['id'], goodForSeconds: planSeconds, outcome }
    },
  })
}

/** Only what was planned, and never another's hold. */
export function addDrains(tools: Tools): void {
  tool(tools, 'drain', {
    description:
      'Holds a server: it gets no new calls on any edge, and keeps those it has. Needs the plan of the very same values.',
    input: z.strictObject({ ...ofDrain, plan }),
    output: ofCommand,
    changes: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    work: async (asked) => ({ outcome: await sent(tools, { ...drainOf(asked), plan: asked.plan }) }),
  })
  tool(tools, 'activate', {
    description:
      "Lifts this caller's own hold of a server, and nobody else's. Needs the plan of the very same values.",
    input: z.strictObject({ ...ofActivate, plan }),
    output: ofCommand,
    changes: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    work: async (asked) => ({ outcome: await sent(tools, { ...activateOf(asked), plan: asked.plan }) }),
  })
}

export function addReload(tools: Tools): void {
  tool(tools, 'reload', {
    description:
      'Has edges read their dispatcher list again: one alone first, and the others only if its list did not shrink.',
    input: z.strictObject({
      edge: z.string().optional().describe('its id; left out: every edge'),
      reason,
    }),
    output: ofCommand,
    changes: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    work: async ({ edge, reason: why }) => ({
      outcome: await sent(tools, { command: 'reload', reason: why, ...(edge !== undefined && { edge }) }),
    }),
  })
}

/** No tool ends a freeze, so it has to end by itself. */
export function addFreeze(tools: Tools): void {
  tool(tools, 'freeze', {
    description:
      'Keeps alarms and operators from beginning drains until a time. Only a person ends it sooner.',
    input: z.strictObject({ reason, until: z.iso.datetime({ offset: true }) }),
    output: ofCommand,
    changes: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    work: async ({ reason: why, until: end }) => ({
      outcome: await sent(tools, { command: 'freeze', reason: why, until: end }),
    }),
  })
}
