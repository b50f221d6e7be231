import * as z from 'zod'
import type { Log } from '../programs/lab-cache.ts'
import { localStackProgram } from '../programs/localstack-program.ts'
import { ministackPython } from '../programs/python-venv.ts'
import { type Emulator, type EmulatorOptions, startMiniStack } from './emulator.ts'
import { startLocalStack } from './localstack.ts'
import { connectTo } from './named-endpoint.ts'

/** The emulators that the lab brings itself. */
export const emulatorNames = ['ministack', 'localstack'] as const

/** One that the lab starts, or the address of one that runs already. */
export type EmulatorChoice = (typeof emulatorNames)[number] | URL

/** The choice does not exist. */
export class UnknownEmulator extends Error {
  override readonly name = 'UnknownEmulator'
}

const choiceSchema = z.union([
  z.enum(emulatorNames),
  z.url({ protocol: /^https?$/ }).transform((address) => new URL(address)),
])

/**
 * @param text `ministack`, `localstack`, or the address of a LocalStack that runs already.
 * @throws UnknownEmulator
 */
export function emulatorChoice(text: string): EmulatorChoice {
  const choice = choiceSchema.safeParse(text)
  if (choice.success) return choice.data
  throw new UnknownEmulator(`there is no emulator "${text}": choose ${emulatorNames.join(', ')} or http://…`)
}

/** What the environment names: LAB_EMULATOR, else MiniStack. @throws UnknownEmulator */
export function defaultEmulator(): EmulatorChoice {
  const { LAB_EMULATOR = 'ministack' } = process.env
  return emulatorChoice(LAB_EMULATOR)
}

export type StartEmulator = (options: EmulatorOptions) => Promise<Emulator>

/**
 * Brings the emulator onto this machine. @returns what starts it
 * @throws NoPython, NoDebianPackages, NoLocalStack, ChildExited: each names what is missing and what to do
 */
export async function prepareEmulator(choice: EmulatorChoice, log: Log): Promise<StartEmulator> {
  if (choice instanceof URL) return (options) => connectTo(choice, options)
  if (choice === 'localstack') {
    const localstack = await localStackProgram(log)
    return (options) => startLocalStack({ ...options, localstack })
  }
  const ministack = { argv: [await ministackPython(log)] }
  return (options) => startMiniStack({ ...options, ministack })
}
