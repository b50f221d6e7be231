import { setTimeout as sleep } from 'node:timers/promises'
import type { Evidence, Problem } from '../referee/evidence.ts'
import { judge, type Records, type ScenarioReport } from '../referee/referee.ts'
import type { World } from '../world/world.ts'
import { alarmStorm, freeze } from './clearance-scenarios.ts'
import { alarm, badCommand, commands } from './command-scenarios.ts'
import {
  asterisk,
  duplicateEvent,
  lostEvent,
  outlastsHeartbeat,
  restartMidDrain,
  scaleIn,
  threeAtOnce,
} from './lifecycle-scenarios.ts'
import { type Scenario, waves } from './scenario.ts'

/** Everything that the demo shows. */
export const allScenarios: readonly Scenario[] = [
  outlastsHeartbeat,
  scaleIn,
  threeAtOnce,
  asterisk,
  duplicateEvent,
  alarm,
  commands,
  badCommand,
  restartMidDrain,
  freeze,
  alarmStorm,
]

/** These, and what takes longer than a demo should. */
export const everyScenario: readonly Scenario[] = [...allScenarios, lostEvent]

/** @throws Error that lists the names that there are */
export function scenariosNamed(wanted: readonly string[]): readonly Scenario[] {
  return wanted.map((name) => {
    const scenario = everyScenario.find((candidate) => candidate.name === name)
    if (scenario === undefined)
      throw new Error(
        `there is no scenario "${name}"; there are: ${everyScenario.map((known) => known.name).join(', ')}`,
      )
    return scenario
  })
}

/** What came of all scenarios, in the order in which their parts were over. */
export interface Finished {
  readonly evidence: readonly Evidence[]
  readonly verdicts: readonly ScenarioReport[]
  readonly broken: readonly Problem[]
}

/**
 * Runs the scenarios, each wave's side by side, then lets every call end by its script.
 * @param judged is told of each part as soon as it is over; the verdict that counts is made at the end
 */
export async function runScenarios(
  world: World,
  scenarios: readonly Scenario[],
  judged: (report: ScenarioReport) => void = () => undefined,
): Promise<Finished> {
  const broken: Problem[] = []
  const evidence: Evidence[] = []
  const found = (part: Evidence) => {
    evidence.push(part)
    judged(judge(part, recordsOf(world)))
  }
  const started = Date.now()
  const last = Math.max(...scenarios.map(({ wave }) => wave))
  for (const wave of waves) {
    const side = scenarios.filter((scenario) => scenario.wave === wave)
    const needing = new Set(side)
    const enough = (scenario: Scenario) => {
      needing.delete(scenario)
      if (wave === last && needing.size === 0) world.traffic().stopPlacing()
    }
    await Promise.all(
      side.map(async (scenario, index) => {
        await sleep(index * betweenStartsMs * world.emulator.slowness)
        try {
          await scenario.run(world, found, () => enough(scenario))
        } catch (error) {
          const text = `"${scenario.name}" broke off: ${error instanceof Error ? error.message : String(error)}`
          world.log(text)
          broken.push({ figure: 'scenarios', text })
        }
      }),
    )
  }
  world.log(`scenarios took ${((Date.now() - started) / 1000).toFixed(1)} s; the last calls end`)
  await world.traffic().finish(longestEndMs)
  const records = recordsOf(world)
  return { evidence, verdicts: evidence.map((part) => judge(part, records)), broken }
}

/** Three of them start at once as it is; the others one after the other, as triggers come. */
const betweenStartsMs = 700

/** The longest call, and 16 s for a BYE that nobody answers. */
const longestEndMs = 30_000

function recordsOf(world: World): Records {
  world.ledger.sync()
  return { calls: world.ledger.calls(), flagsOf: (uri) => world.flags.history(uri) }
}
