import { isInstanceId } from '../../functions/control/resolve.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { inShell } from '../desk/shell-word.ts'

/** What a command is for, unless it names its targets one by one. */
export interface ManyOptions {
  readonly group?: string
  readonly set?: string
  readonly zone?: string
}

type Of =
  | { readonly instance: string }
  | { readonly destination: string }
  | { readonly group: string }
  | { readonly set: number }
  | { readonly zone: string }

/** What one command is for. */
export interface Meant {
  readonly of: Of
  /** how a shell repeats it */
  readonly words: string
}

/** @returns what is meant, a command each. @throws Stop */
export function meantBy(targets: readonly string[], { group, set, zone }: ManyOptions): readonly Meant[] {
  const many = [
    ...(group === undefined ? [] : [{ of: { group }, words: `--group ${inShell(group)}` }]),
    ...(set === undefined ? [] : [{ of: { set: setOf(set) }, words: `--set ${set}` }]),
    ...(zone === undefined ? [] : [{ of: { zone }, words: `--zone ${inShell(zone)}` }]),
  ]
  const one = [...new Set(targets)].map((target) => ({ of: oneOf(target), words: inShell(target) }))
  const isOneWay = many.length === 0 ? one.length > 0 : many.length === 1 && one.length === 0
  if (isOneWay) return [...many, ...one]
  throw new Stop('name targets, or else exactly one of --group, --set and --zone', exitCodes.usage)
}

/** What a target is called in a command. */
export function oneOf(target: string): { readonly instance: string } | { readonly destination: string } {
  return isInstanceId(target) ? { instance: target } : { destination: target }
}

function setOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Stop(`--set "${text}" is no dispatcher set: write its number`, exitCodes.usage)
}
