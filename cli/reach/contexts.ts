import { parse } from 'yaml'
import * as z from 'zod'
import type { Desk, Place } from '../desk/desk.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { inShell } from '../desk/shell-word.ts'

export interface PlaceOptions extends Partial<Place> {
  readonly context?: string
}

/**
 * The file that names places, which somebody who has several writes:
 * ```yaml
 * production: { stack: voice, region: eu-central-1, profile: voice-operator }
 * ```
 */
const form = z.record(
  z.string(),
  z.strictObject({
    stack: z.string().min(1).exactOptional(),
    region: z.string().min(1).exactOptional(),
    profile: z.string().min(1).exactOptional(),
  }),
)

export const defaultStack = 'dispatcher-control'

/** Where a command goes: what an option names counts before what its context does. @throws Stop */
export async function placeOf(desk: Desk, { context, ...options }: PlaceOptions): Promise<Place> {
  const named = context === undefined ? {} : (await contextsOf(desk))[context]
  if (named) return { stack: defaultStack, ...named, ...options }
  const names = Object.keys(await contextsOf(desk))
  const known = names.length === 0 ? 'names none' : `has ${names.join(', ')}`
  throw new Stop(`no context "${context}": ${desk.contexts.path} ${known}`, exitCodes.usage)
}

/** @returns the command that reaches the same place again */
export function calledFor({ context, stack, region, profile }: PlaceOptions): string {
  return ['kdc', ...optionsOf({ context, stack, region, profile })].join(' ')
}

/** @returns the AWS CLI that reaches it, before the name of a service */
export function awsFor({ region, profile }: Place): string {
  return ['aws', ...optionsOf({ region, profile })].join(' ')
}

function optionsOf(named: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${inShell(value)}`],
  )
}

/** @throws Stop where the file is none, or not as it should be */
export async function contextsOf({ contexts }: Desk): Promise<z.output<typeof form>> {
  try {
    return form.parse(parse((await contexts.read()) ?? '{}') ?? {})
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new Stop(
      `${contexts.path} can't be read: ${why.replace(/\s+/g, ' ')}; it has to be a file that you may read, with lines name: { stack: …, region: …, profile: … }`,
      exitCodes.usage,
    )
  }
}
