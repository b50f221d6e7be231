import type { Command } from 'commander'
import { commandSchema, eventSchema, settingsSchema } from '../functions/contracts/json-schema.ts'
import { type EventType, eventTypes } from '../functions/contracts/names.ts'
import type { Desk } from './desk/desk.ts'
import { exitCodes, Stop } from './desk/exit-codes.ts'

const types: readonly EventType[] = Object.values(eventTypes)

/** JSON Schema of what people write, or subscribe to. No deployment is asked. */
export function addSchema(program: Command, desk: Desk): void {
  const print = (schema: unknown) => desk.out(`${JSON.stringify(schema, undefined, 2)}\n`)
  const schema = program.command('schema').description('prints a JSON Schema; no deployment is asked')
  schema
    .command('command')
    .description("of a command's message")
    .action(() => print(commandSchema()))
  schema
    .command('event')
    .argument('[type]', 'such as "Drain Started" or drain-started; left out: each, by its type')
    .description("of an event's detail")
    .action((named: string | undefined) => print(named === undefined ? all() : eventSchema(typeOf(named))))
  schema
    .command('settings')
    .description('of the settings file, which may name it as its "$schema"')
    .action(() => print(settingsSchema()))
}

function all() {
  return Object.fromEntries(types.map((type) => [type, eventSchema(type)]))
}

/** @throws Stop */
function typeOf(named: string): EventType {
  const plain = (text: string) => text.toLowerCase().replaceAll('-', ' ')
  const found = types.find((type) => plain(type) === plain(named))
  if (found) return found
  throw new Stop(`no event is called "${named}"; there are: ${types.join(', ')}`, exitCodes.usage)
}
