import { InvalidArgumentError, Option } from 'commander'
import type { Deployed } from './desk.ts'
import type { ExitCode } from './exit-codes.ts'
import { type Format, formats } from './format.ts'

/** What commands have in common. */

/** Does it once the deployment is reached, and keeps its exit code. */
export type Reached = (action: (deployed: Deployed) => Promise<ExitCode>) => Promise<void>

export interface OutputOptions {
  readonly output: Format
}

export const output = () =>
  new Option('-o, --output <format>', 'how it is printed').choices([...formats]).default('table')
export const targetForm = 'a SIP URI, a host with or without its port, or an instance id'

export const limit = () =>
  new Option('-n, --limit <number>', 'so many at most').default(50).argParser((text: string) => {
    if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
    throw new InvalidArgumentError('write a number from 1 to 99999.')
  })
export const day = () => new Option('--day <day>', 'of a UTC day, such as 2026-11-27')
