import { Argument, InvalidArgumentError, Option } from 'commander'
import { isInstanceId } from '../../functions/control/resolve.ts'
import type { Deployed } from './desk.ts'
import type { ExitCode } from './exit-codes.ts'
import { type Format, formats } from './format.ts'
import { isDay } from './times.ts'

/** What commands have in common. */

/** What is done once the deployment is reached. Before that the command line is judged. */
export type OnDeployed = (deployed: Deployed) => Promise<ExitCode>
/** Reaches the deployment, and keeps the exit code. */
export type Reached = (action: OnDeployed) => Promise<void>

export interface OutputOptions {
  readonly output: Format
}

export const output = () =>
  new Option('-o, --output <format>', 'how it is printed').choices([...formats]).default('table')
export const targetForm = 'a SIP URI, a host with or without its port, or an instance id'

const mostLimit = 99_999

/** Whoever is not shown all is told how to see more. */
export function moreThan(limit: number): string {
  return limit < mostLimit
    ? `there are more: --limit ${Math.min(mostLimit, limit * 4)} shows more\n`
    : `there are more than ${mostLimit}, and no --limit shows them\n`
}

export const limit = () =>
  new Option('-n, --limit <number>', 'so many at most').default(50).argParser((text: string) => {
    if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
    throw new InvalidArgumentError(`Write a number from 1 to ${mostLimit}.`)
  })
export const day = () =>
  new Option('--day <day>', 'of a UTC day, such as 2026-11-27').argParser((text: string) => {
    if (isDay(text)) return text
    throw new InvalidArgumentError('Write a UTC day such as 2026-11-27.')
  })

const wrongId = /^i-[0-9a-f]{7,}$/i

/** What is no instance id, and looks like one, is a typo: no destination is called so. */
function named(text: string): string {
  if (isInstanceId(text) || !wrongId.test(text)) return text
  throw new InvalidArgumentError(
    `An instance id is i- and 8 or 17 digits of 0-9 and a-f, and this has ${text.length - 2}.`,
  )
}

export const target = (name: string, description: string) => new Argument(name, description).argParser(named)
export const targets = (description: string) =>
  new Argument('[target...]', description).argParser((text: string, before: string[] | undefined) => [
    ...(before ?? []),
    named(text),
  ])
