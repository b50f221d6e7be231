import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Desk } from '../desk/desk.ts'
import type { Reached } from '../desk/options.ts'

/** What `kdc mcp --allow` takes. */
const allowances = ['drain', 'reload', 'freeze'] as const
export type Allowance = (typeof allowances)[number]

export function addMcp(program: Command, desk: Desk, reached: Reached): void {
  program
    .command('mcp')
    .description('serves the Model Context Protocol over stdin and stdout: tools that look, and plan')
    .addOption(
      new Option('--allow <what>', 'tools that change something, such as drain,reload')
        .argParser(allowancesOf)
        .default([], 'none'),
    )
    .action(({ allow }: { readonly allow: readonly Allowance[] }) =>
      reached(async (deployed) => {
        // It takes a while to load.
        const { mcp } = await import('./mcp.ts')
        return mcp(desk, deployed, allow)
      }),
    )
}

function allowancesOf(text: string): Allowance[] {
  return text.split(',').map((word) => {
    const found = allowances.find((each) => each === word.trim())
    if (found !== undefined) return found
    throw new InvalidArgumentError(`"${word}" can't be allowed: there are ${allowances.join(', ')}.`)
  })
}
