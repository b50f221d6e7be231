import type { McpServer, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server'
import type * as z from 'zod'
import { check, describe } from '../../functions/contracts/parse.ts'
import { InvalidMessage } from '../../functions/control/errors.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { failureOf } from '../desk/failure.ts'

/** Where tools are added, and what they work on. */
export interface Tools {
  readonly server: McpServer
  readonly desk: Desk
  readonly deployed: Deployed
}

interface Tool<Asked> {
  readonly description: string
  readonly input: z.ZodType<Asked>
  readonly output: z.ZodObject
  /** left out: it changes nothing */
  readonly changes?: ToolAnnotations
  readonly work: (asked: Asked) => Promise<unknown>
}

const changesNothing: ToolAnnotations = { readOnlyHint: true, openWorldHint: false }

/**
 * Adds one tool. What it found is data, never prose: what somebody wrote into a reason stays a value of its
 * key, in the text as in the structured content. What went wrong is the one line that a shell would get.
 */
export function tool<Asked>(
  { server }: Pick<Tools, 'server'>,
  name: string,
  { description, input, output, changes, work }: Tool<Asked>,
): void {
  const inputSchema: StandardSchemaWithJSON<unknown, Asked> = input
  const annotations = changes ?? changesNothing
  const config = { description, inputSchema, outputSchema: output, annotations }
  server.registerTool(name, config, async (asked) => {
    try {
      const found = inForm(output, await work(asked), name)
      return { content: [{ type: 'text', text: JSON.stringify(found) }], structuredContent: found }
    } catch (error) {
      return { content: [{ type: 'text', text: failureOf(error).line }], isError: true }
    }
  })
}

/** The outcome of a command is in the form of the release that is deployed. */
function inForm(form: z.ZodObject, found: unknown, name: string) {
  const checked = check(form, found)
  if ('data' in checked) return checked.data
  throw new InvalidMessage(
    `what was asked is done, and kdc can't show it: it may be older than the deployment (${describe(name, checked.problems)})`,
  )
}
