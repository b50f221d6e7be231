import * as z from 'zod'
import { commandEventDetails } from '../../functions/contracts/command-event.ts'
import type { Desk } from '../desk/desk.ts'
import { Stop } from '../desk/exit-codes.ts'
import { doctor } from '../doctor/doctor.ts'
import { history } from '../read/history.ts'
import { explain } from '../views/explain.ts'
import { fleetView } from '../views/fleet-view.ts'
import { clearanceRules, edgeRecords, lookAround } from '../views/look-around.ts'
import { type Tools, tool } from './mcp-tools.ts'
import { changesForm, diagnosisForm, drainsForm, explanationForm, fleetForm } from './view-forms.ts'

const target = z.string().describe('a SIP URI, a host with or without its port, or an EC2 instance id')
const refusal = z.looseObject({ refused: z.string().describe('why it was refused') })

/** What anybody may ask; nothing is changed by it. */
export function addReads(tools: Tools): void {
  const { desk, deployed } = tools
  const stored = () => lookAround(deployed, desk.clock.now())
  tool(tools, 'fleet_status', {
    description:
      'The fleet at a glance: each edge and whether it is readable, drains with their calls left, holds, what waits, and whether drains are frozen.',
    input: z.strictObject({}),
    output: fleetForm,
    work: async () => fleetView(await stored()),
  })
  tool(tools, 'list_drains', {
    description:
      'The drains that are under way, each with its calls left and when it may be over, and those that wait.',
    input: z.strictObject({}),
    output: drainsForm,
    async work() {
      const { drains, waiting, at, unread } = fleetView(await stored())
      return { drains, waiting, at, unread }
    },
  })
  tool(tools, 'explain_destination', {
    description:
      'Why a server gets calls or gets none: who holds it, what each edge shows, why its drain is not over, and what comes next.',
    input: z.strictObject({ target }),
    output: explanationForm,
    async work({ target: name }) {
      const all = await stored()
      return explain(name, all, await edgeRecords(deployed, all), await clearanceRules(deployed, all))
    },
  })
  tool(tools, 'get_command', {
    description: 'What came of a command, by its id: its answer, or why it was refused.',
    input: z.strictObject({ id: z.string() }),
    output: z.object({ outcome: z.union([commandEventDetails['Command Answered'], refusal]) }),
    async work({ id }) {
      const outcome = await deployed.shelf.commandOutcome(id)
      if (outcome) return { outcome }
      throw new Stop(
        `no outcome of a command ${id}: it was not answered yet, its id is another, or it is older than 14 days`,
      )
    },
  })
  addRecords(tools)
}

function addRecords(tools: Tools): void {
  const { desk, deployed } = tools
  tool(tools, 'list_events', {
    description:
      'What was changed, the newest first: holds placed and lifted, freezes, releases, reloads; by whom, why, and what each edge showed. Of one server, of one UTC day, or else of the last days.',
    input: z
      .strictObject({
        target: target.optional(),
        day: z.iso.date().optional(),
        limit: z.int().min(1).max(200).default(50),
      })
      .refine((of) => of.target === undefined || of.day === undefined, {
        error: 'name a target or a day, not both',
      }),
    output: changesForm,
    work: async ({ target: name, day, limit }) => ({
      changes: await printed(desk, (own) =>
        history(own, name, { output: 'json', limit, ...(day !== undefined && { day }) })(deployed),
      ),
    }),
  })
  tool(tools, 'doctor', {
    description:
      'Looks for what is wrong with edges, hooks, queues, rules and alarms, and names what a person does to mend it. Changes nothing.',
    input: z.strictObject({}),
    output: diagnosisForm,
    work: () => printed(desk, (own) => doctor(own, deployed, 'json')),
  })
}

/** What a person's command prints as JSON: stdout is the protocol's. */
async function printed(desk: Desk, work: (own: Desk) => Promise<unknown>): Promise<unknown> {
  let text = ''
  const out = (more: string) => {
    text += more
  }
  await work({ ...desk, out })
  return JSON.parse(text)
}
