import type { DrainEvidence, Evidence } from '../referee/evidence.ts'
import type { Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'
import { type DrainOptions, drainByLifecycle, launchAgain } from './stage.ts'

/** Hands a part's evidence to the referee as soon as it is there. */
export type Found = (evidence: Evidence) => void

/** What no other drain may be beside has a wave of its own. */
export const waves = [1, 2, 3, 4] as const

/** One thing that the demo shows, on machines of its own. */
export interface Scenario {
  readonly name: string
  /** Scenarios of one wave run side by side; a wave begins when the one before it is over. */
  readonly wave: (typeof waves)[number]
  /** @param enough is called when it needs no more calls to be placed */
  readonly run: (world: World, found: Found, enough: () => void) => Promise<void>
}

/** Scales the machine in, and launches another on its address when it is gone. */
export async function drainAndLaunch(
  world: World,
  machine: Machine,
  options: DrainOptions,
  found: Found,
): Promise<DrainEvidence> {
  const drained = await drainByLifecycle(world, machine, options)
  found(drained)
  // The lab's Asterisk can't be told which port to take: its address stays retired.
  if (machine.instance?.ec2State === 'terminated' && machine.plan.kind === 'sipp')
    found(await launchAgain(world, machine, `${options.scenario}: launch on its address`))
  return drained
}
