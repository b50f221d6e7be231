import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { command } from './samples.ts'
import { config, createWorld, type World } from './world.ts'

/** A world whose settings ask for this clearance. */
export const worldWith = (clearance: ControlConfigInput['clearance']) =>
  createWorld({ config: { ...config, clearance } })

const idOf = (text: string) => text.replace(/\W/g, '-')
export const drain = (destination: string, changes: object = {}) =>
  command('command-drain-destination', { destination, id: idOf(`drain ${destination}`), ...changes })
export const activate = (destination: string, changes: object = {}) =>
  command('command-activate', { destination, id: idOf(`activate ${destination}`), ...changes })
export const freeze = (changes: object = {}) => ({
  ...{ version: 1, id: 'freeze-1', command: 'freeze', reason: 'carrier maintenance', requestedBy: 'alice' },
  ...changes,
})
export const unfreeze = { version: 1, id: 'unfreeze-1', command: 'unfreeze', requestedBy: 'alice' }

/** Keys of the holds that wait for clearance. */
export const waitingIn = async ({ memory }: World) =>
  (await memory.store.waiting()).drains.map(({ hold }) => `${hold.source}/${hold.id}`)
