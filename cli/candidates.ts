import type { Argument, Command, Option } from 'commander'
import type { PlaceOptions } from './reach/contexts.ts'

/** Names that only the deployment has, or the file of contexts. */
export type Live = 'contexts' | 'edges' | 'removed edges' | 'groups' | 'holds' | 'targets'

/** By the name of an argument or option. */
const liveOf: Readonly<Record<string, Live>> = {
  ...{
    target: 'targets',
    edge: 'edges',
    'removed-edge': 'removed edges',
    hold: 'holds',
    group: 'groups',
    context: 'contexts',
  },
}

interface Candidates {
  readonly words: readonly string[]
  readonly live?: Live
  /** what stands in the word before such a name: `--group=` */
  readonly before?: string
  /** which deployment the line names */
  readonly place: PlaceOptions
}

/** What may come at the end of a line, by the commands and options that there are. */
export function candidates(program: Command, line: string): Candidates {
  const words = wordsOf(line)
  const current = words.pop() ?? ''
  let command = program
  let open: Option | undefined
  let position = 0
  const given: Record<string, string> = {}
  for (const word of words.slice(1)) {
    if (open) given[open.attributeName()] = word
    else Object.assign(given, givenIn(command, word))
    const isValue = open !== undefined
    open = isValue ? undefined : optionNamed(command, word)
    if (isValue || word.startsWith('-')) continue
    const sub = command.commands.find((each) => each.name() === word)
    if (sub) command = sub
    else position += 1
  }
  const { context, stack, region, profile } = given
  const place = {
    ...(context !== undefined && { context }),
    ...(stack !== undefined && { stack }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  }
  return { ...next(command, current, open, position), place }
}

function next(
  command: Command,
  current: string,
  open: Option | undefined,
  position: number,
): Omit<Candidates, 'place'> {
  if (open) return valuesOf(open.attributeName(), open.argChoices)
  const [name = '', value] = current.split('=', 2)
  if (value !== undefined && name.startsWith('--')) {
    const found = options(command).find(({ long }) => long === name)
    const { words, live } = valuesOf(found?.attributeName() ?? '', found?.argChoices)
    return { words: words.map((word) => `${name}=${word}`), ...(live && { live, before: `${name}=` }) }
  }
  if (current.startsWith('-')) return { words: options(command).flatMap(({ long }) => long ?? []) }
  const commands = command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name())
  if (command.commands.length > 0) return { words: commands }
  const argument: Argument | undefined =
    command.registeredArguments[position] ?? command.registeredArguments.find(({ variadic }) => variadic)
  return argument ? valuesOf(argument.name(), argument.argChoices) : { words: [] }
}

function valuesOf(name: string, choices: readonly string[] | undefined): Omit<Candidates, 'place'> {
  const live = liveOf[name]
  return { words: choices ?? [], ...(live && { live }) }
}

/** Its own and those of the commands that it is under. */
function options(command: Command): readonly Option[] {
  const own = command.createHelp().visibleOptions(command)
  return command.parent ? [...own, ...options(command.parent)] : own
}

/** The value that an option has in its own word: `--stack=voice`. */
function givenIn(command: Command, word: string): Readonly<Record<string, string>> {
  const [, long, value] = /^(--[^=]+)=(.*)$/.exec(word) ?? []
  const found = options(command).find((option) => option.long === long)
  return found && value !== undefined ? { [found.attributeName()]: value } : {}
}

/** The option whose value the next word is. */
function optionNamed(command: Command, word: string): Option | undefined {
  return options(command).find((option) => option.required && (option.long === word || option.short === word))
}

/** As a shell has them; the last one is what is being written. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:'[^']*'?|"[^"]*"?|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, ''),
  )
  return /\s$/.test(line) || line === '' ? [...words, ''] : words
}
