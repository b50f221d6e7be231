import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import { config, createWorld, facts, instanceId } from './world.ts'

/** Two machines of one group in two zones, and commands for many of one operator. */
export const other = 'i-0987654321fedcba0'
export const machines: readonly InstanceFacts[] = [
  facts({ zone: 'eu-central-1a' }),
  facts({ instanceId: other, addresses: ['10.0.1.21'], zone: 'eu-central-1b' }),
]
export const both = [`operator/${other}/alice`, `operator/${instanceId}/alice`]
const asked = { version: 1, requestedBy: 'alice' }
export const drain = (changes: object) => ({
  ...{ ...asked, id: 'drain-many', command: 'drain', reason: 'new image' },
  ...changes,
})
export const activate = (changes: object) => ({
  ...{ ...asked, id: 'activate-many', command: 'activate' },
  ...changes,
})
export const ofGroup = { group: 'media-servers' }
export const worldOf = (changes: Partial<ControlConfigInput> = {}) =>
  createWorld({ instances: machines, config: { ...config, ...changes } })
